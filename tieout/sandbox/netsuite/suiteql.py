"""The query service: SuiteQL over an in-memory database that mirrors the records.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157909186990.html
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from . import oracle, texts
from .body import name_of
from .books import Books, Record, ref_id
from .catalog import BY_CODE, STATUS_LETTERS, TYPES, of_target
from .cells import Row
from .errors import Refusal, envelope, invalid_parameter, malformed, wrong_method
from .paging import page, read_window
from .records import read_body
from .rows import RowMaker
from .tables import CUSTOM_TABLES, KEYS, SPELLING, columns
from .translate import UNSUPPORTED, Translator, Unsupported, parse
from .unused import ACCOUNT_TYPES
from .wire import Answer, Request

QUERY_PATH = "/services/rest/query/v1/suiteql"

# Columns whose display value (BUILTIN.DF) is the name of another record.
_SHOWN = {
    "entity": "entity",
    "customer": "entity",
    "company": "entity",
    "currency": "currency",
    "subsidiary": "subsidiary",
    "account": "account",
    "expenseaccount": "account",
    "incomeaccount": "account",
    "receivablesaccount": "account",
    "item": "item",
    "terms": "term",
    "postingperiod": "accountingPeriod",
    "createdfrom": "transaction",
    "previousdoc": "transaction",
    "nextdoc": "transaction",
    "transaction": "transaction",
    "type": "type",
    "status": "status",
    "pricelevel": "pricelevel",
}
_COLUMN_TYPES = {"int": "INTEGER", "number": "TEXT COLLATE ORA"}


class SuiteQL:
    """Runs queries. Whoever calls holds the stand-in's lock."""

    def __init__(self, books: Books, *, transaction_subsidiary: bool = True) -> None:
        self.books = books
        self.columns = columns()
        if not books.one_world or not transaction_subsidiary:
            self.columns["transaction"].pop("subsidiary")
        if not books.one_world:
            self.columns["transactionline"].pop("subsidiary")
            self.columns["contact"].pop("subsidiary")
            self.columns.pop("subsidiary")
            self.columns.pop("customersubsidiaryrelationship")
        self.maker = RowMaker(books)
        self.problem = ""
        self._logged = 0
        self._orders: dict[str, list[str]] = {}
        self._mirrored: set[tuple[str, str]] = set()
        self.db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.db.execute("PRAGMA case_sensitive_like = ON")
        self._register()
        self._create()

    def close(self) -> None:
        self.db.close()

    def answer(self, request: Request) -> Answer:
        """POST .../suiteql. Raises Refusal."""
        if request.method != "POST":
            raise wrong_method(request.method)
        if not request.prefers("transient"):
            raise malformed(
                "The required request header 'Prefer' is missing. Provide the value 'transient'.",
                header="Prefer",
            )
        window = read_window(request)
        body = read_body(request)
        text, params = body.get("q"), body.get("params") or []
        if not isinstance(text, str) or not text.strip() or not isinstance(params, list):
            raise invalid_parameter("The query parameter 'q' is missing or invalid.", "q")
        self.sync()
        items, total = self._run(text, params, window.limit, window.offset)
        return Answer(200, page(request, window, items, total), kind="collection")

    def _run(
        self, text: str, params: list[Any], limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        aliases: dict[str, str] = {}
        try:
            tree = parse(text.strip().rstrip(";"), len(params))
            show = {**_SHOWN, "parent": "", "id": ""}
            sql, aliases = Translator(self.columns, show).translate(tree)
            bound = {f"p{number}": _bound(value) for number, value in enumerate(params, 1)}
            cut = {**bound, "limit_": limit, "offset_": offset}
            rows = self.db.execute(f"SELECT * FROM ({sql}) LIMIT :limit_ OFFSET :offset_", cut)
            names = [column[0].lower() for column in rows.description]
            found = [_item(names, row) for row in rows.fetchall()]
            total = offset + len(found)
            if len(found) == limit or (offset and not found):
                total = self.db.execute(f"SELECT count(*) FROM ({sql})", bound).fetchone()[0]
        except Unsupported as problem:
            raise _refused(str(problem)) from None
        except (sqlite3.Error, RecursionError, OverflowError) as problem:
            raise self._explain(str(problem), aliases) from None
        return found, int(total)

    def _explain(self, said: str, aliases: dict[str, str]) -> Refusal:
        problem, self.problem = self.problem, ""
        match = re.fullmatch(r"no such column: (?:(\w+)\.)?(\w+)", said)
        if match is None:
            return _refused(problem or UNSUPPORTED)
        alias, column = match.groups()
        if alias is None:
            known = ", ".join(f"{name}={table}" for name, table in aliases.items())
            return _refused(
                f"Unknown identifier '{column}'. Available identifiers are: {{{known}}}."
            )
        table = aliases.get(alias, alias)
        spelled = SPELLING.get(table, table)
        return _refused(f"Field '{column}' for record '{spelled}' was not found.")

    def sync(self) -> None:
        """Bring the tables in step with the records changed since the last query."""
        fresh = [name for name in self.books.custom_fields if not self._has_column(name)]
        for name in sorted(fresh):
            self._add_column(name)
        dirty, self.books.dirty = self.books.dirty, {}
        if dirty:
            self._replace(dirty)
        for deletion in self.books.deletions[self._logged :]:
            self._insert("deletedrecord", [self.maker.deleted(deletion)])
        self._logged = len(self.books.deletions)

    def _replace(self, dirty: dict[tuple[str, str], Record | None]) -> None:
        customers = [key for name, key in dirty if name == "customer"]
        made: dict[str, list[Row]] = {}
        records = dict(dirty)
        for owner in self._owners(dirty):
            records.setdefault(("customer", owner), self.books.find("customer", owner))
            customers.append(owner)
        for (name, key), record in records.items():
            if (name, key) in self._mirrored:
                self._clear(name, key)
            self._mirrored.add((name, key))
            if record is not None:
                for table, row in self.maker.rows(record):
                    made.setdefault(table, []).append(row)
        self.db.execute("BEGIN")
        for table, rows in made.items():
            if table in self.columns:
                self._insert(table, rows)
        self.db.execute("COMMIT")

    def _owners(self, dirty: dict[tuple[str, str], Record | None]) -> set[str]:
        # A customer's balance moves with its transactions.
        owners = {record.indexed[1] for record in dirty.values() if record is not None}
        return {owner for owner in owners if owner and owner in self.books.moved}

    def _clear(self, name: str, key: str) -> None:
        for table in _tables_of(name):
            if table in self.columns:
                column = KEYS.get(table, "id")
                self.db.execute(f"DELETE FROM `{table}` WHERE `{column}` = ?", (int(key),))

    def _insert(self, table: str, rows: Iterable[Row]) -> None:
        names = self._orders.setdefault(table, list(self.columns[table]))
        marks = ", ".join("?" * len(names))
        values = (tuple(row.get(name) for name in names) for row in rows)
        self.db.executemany(f"INSERT INTO `{table}` VALUES ({marks})", values)

    def _has_column(self, name: str) -> bool:
        tables = next((t for prefix, t in CUSTOM_TABLES.items() if name.startswith(prefix)), ())
        return all(name in self.columns[table] for table in tables)

    def _add_column(self, name: str) -> None:
        for prefix, tables in CUSTOM_TABLES.items():
            for table in tables:
                if name.startswith(prefix) and name not in self.columns[table]:
                    self.db.execute(f"ALTER TABLE `{table}` ADD COLUMN `{name}` TEXT")
                    self.columns[table][name] = "custom"
                    self._orders.pop(table, None)

    def _create(self) -> None:
        for table, names in self.columns.items():
            listed = ", ".join(
                f"`{name}` {_COLUMN_TYPES.get(kind, 'TEXT')}" for name, kind in names.items()
            )
            self.db.execute(f"CREATE TABLE `{table}` ({listed})")
            key = KEYS.get(table, "id")
            if key in names:
                self.db.execute(f"CREATE INDEX `by_{table}` ON `{table}` (`{key}`)")
        for table in ("previoustransactionlinelink", "nexttransactionlinelink"):
            self.db.execute(f"CREATE INDEX `from_{table}` ON `{table}` (previousdoc)")
        self.db.execute("CREATE INDEX by_change ON `transaction` (lastmodifieddate, id)")
        self.db.execute("INSERT INTO dual VALUES ('X')")
        book = {"id": 1, "name": "Primary Accounting Book", "isprimary": "T"}
        self._insert("accountingbook", [book])
        self._insert("transactionstatus", list(_statuses()))
        kinds = [{"id": id, "longname": name} for id, name in ACCOUNT_TYPES.items()]
        self._insert("accounttype", kinds)

    def _register(self) -> None:
        zone = ZoneInfo(self.books.timezone)
        plain: dict[str, tuple[int, Callable[..., Any]]] = {
            "ora_to_char": (-1, oracle.to_char),
            "ora_to_date": (-1, oracle.to_date),
            "ora_to_number": (-1, oracle.to_number),
            "ora_decode": (-1, oracle.decode),
            "ora_joined": (2, oracle.joined),
            "ora_round": (-1, oracle.rounded),
            "ora_trunc": (-1, oracle.trunc),
            "ora_ceil": (1, oracle.ceiling),
            "ora_floor": (1, oracle.floor),
            "ora_abs": (1, oracle.absolute),
            "ora_sign": (1, oracle.sign),
            "ora_mod": (2, oracle.modulo),
            "ora_greatest": (-1, oracle.greatest),
            "ora_least": (-1, oracle.least),
            "ora_add_months": (2, oracle.add_months),
            "ora_last_day": (1, oracle.last_day),
            "ora_extract": (2, oracle.extract),
            "ora_plus": (2, oracle.plus),
            "ora_minus": (2, oracle.minus),
            "ora_times": (2, oracle.times),
            "ora_divided": (2, oracle.divided),
            "ora_negated": (1, oracle.negated),
            "ora_compare": (2, oracle.compared),
            "ora_implicit_date": (1, oracle.implicit_date),
            "ora_to_utc": (1, lambda value: oracle.to_utc(value, zone)),
            "ora_cast_date": (1, _cast_date),
            "ora_months_between": (2, oracle.months_between),
            "ora_power": (2, oracle.power),
            **texts.FUNCTIONS,
            "ora_whole": (1, lambda value: int(oracle.must_number(value))),
        }
        stateful: dict[str, tuple[int, Callable[..., Any]]] = {
            "ora_sysdate": (0, lambda: self._now(oracle.PACIFIC)),
            "ora_current": (0, lambda: self._now(zone)),
            "ora_shown": (2, self._shown),
            "ora_status_df": (2, self._status_words),
            "ora_status_cf": (2, lambda code, letter: f"{code}:{letter}"),
        }
        for name, (count, function) in plain.items():
            self.db.create_function(name, count, self._told(function), deterministic=True)
        for name, (count, function) in stateful.items():
            self.db.create_function(name, count, self._told(function))
        self.db.create_collation("ORA", oracle.numeric_order)
        self.db.create_window_function("ora_sum", 1, oracle.Sum)
        self.db.create_window_function("ora_avg", 1, oracle.Average)
        self.db.create_aggregate("ora_max", 1, oracle.Largest)
        self.db.create_aggregate("ora_min", 1, oracle.Smallest)
        self.db.create_aggregate("ora_listagg", -1, oracle.JoinedList)

    def _told(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """SQLite swallows what a function raises; the reason is kept for the answer."""

        def called(*args: Any) -> Any:
            try:
                return function(*args)
            except oracle.BadValue as problem:
                self.problem = f"{problem}."
                raise

        return called

    def _now(self, zone: ZoneInfo) -> str:
        moment = self.books.clock.now()
        return oracle.tagged(moment.astimezone(zone).replace(tzinfo=None))

    def _shown(self, kind: str, key: Any) -> str | None:
        if key is None:
            return None
        if kind == "type":
            return BY_CODE[key].label if key in BY_CODE else str(key)
        if kind == "pricelevel":
            return self._level_name(str(key))
        targets = ("customer", "contact") if kind == "entity" else (kind,)
        for target in targets:
            found = self.books.find(target, key)
            if found is not None:
                return name_of(found)
        return str(key)

    def _level_name(self, level: str) -> str:
        """Price levels are no records here: their names stand in the items' matrices."""
        for type in of_target("item"):
            for item in self.books.all_of(type).values():
                for line in item.lines("price"):
                    held = line.get("priceLevel")
                    if isinstance(held, dict) and ref_id(held) == level and held.get("refName"):
                        return str(held["refName"])
        return level

    def _status_words(self, code: str, letter: str) -> str:
        type = BY_CODE.get(code)
        words = STATUS_LETTERS.get(type.name, {}) if type is not None else {}
        label = type.label if type is not None else code
        return f"{label} : {words.get(letter, letter)}"


def _tables_of(name: str) -> tuple[str, ...]:
    type = TYPES[name.lower()]
    if type.is_transaction:
        return (
            "transaction",
            "transactionline",
            "transactionaccountingline",
            "previoustransactionlinelink",
            "nexttransactionlinelink",
        )
    if type.group == "items":
        return ("item", "pricing")
    if name == "customer":
        return (
            "customer",
            "entity",
            "customersubsidiaryrelationship",
            "customeraddressbook",
            "entityaddress",
            "customeraddressbookentityaddress",
        )
    return ("contact", "entity") if name == "contact" else (name.lower(),)


def _bound(value: Any) -> Any:
    if isinstance(value, bool):
        return "T" if value else "F"
    if value is None or isinstance(value, int | str):
        return value
    return str(value)


def _item(names: list[str], row: tuple[Any, ...]) -> dict[str, Any]:
    item: dict[str, Any] = {"links": []}
    for name, value in zip(names, row, strict=True):
        if value is not None:
            item[name] = oracle.user_text(value)
    return item


def _cast_date(value: Any) -> Any:
    try:
        return oracle.tagged(datetime.fromisoformat(str(value)))
    except ValueError:
        raise oracle.BadValue(f"'{value}' is not a date") from None


def _refused(detail: str) -> Refusal:
    prefix = "Invalid search query. Detailed unprocessed description follows. "
    if not detail.startswith("Invalid search type"):
        prefix += "Search error occurred: "
    return Refusal(envelope(400, prefix + detail, "INVALID_PARAMETER", query="q"))


def _statuses() -> Iterator[dict[str, str]]:
    for type_name, words in STATUS_LETTERS.items():
        type = TYPES[type_name.lower()]
        for letter, word in words.items():
            full = f"{type.label} : {word}"
            yield {"id": letter, "name": word, "fullname": full, "trantype": type.code}
