"""The clients: companies and persons of several countries and scripts, with their habits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from .catalog import Catalog
from .currencies import CURRENCIES
from .facts import Client, Span, new_id, new_prefix
from .moments import DAY

# Every 25 clients come in these currencies, so that even a handful holds all four.
_MIX = "USD EUR JPY USD BHD USD USD EUR USD USD EUR USD JPY USD EUR USD USD EUR USD USD"
CURRENCY_MIX = [*_MIX.split(), "EUR", "USD", "EUR", "USD", "USD"]
_RECENT_EVERY = 12  # one of so many clients signed up within the last two weeks


@dataclass(frozen=True)
class Place:
    country: str
    locale: str
    dial: str
    cities: tuple[tuple[str, str | None, str], ...]
    streets: tuple[str, ...]
    firsts: tuple[str, ...]
    lasts: tuple[str, ...]
    words: tuple[str, ...]
    forms: tuple[str, ...]


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


def _place(
    country: str,
    locale: str,
    dial: str,
    cities: str,
    streets: str,
    firsts: str,
    lasts: str,
    words: str,
    forms: str,
) -> Place:
    towns = []
    for city in _split(cities):
        name, state, code = city.split("/")
        towns.append((name, state or None, code))
    rest = [_split(text) for text in (streets, firsts, lasts, words, forms)]
    return Place(country, locale, dial, tuple(towns), *rest)


_US = _place(
    "US", "en-US", "+1415555",
    "Fresno/CA/93721|Buffalo/NY/14202|Austin/TX/78701|Spokane/WA/99201|Portland/OR/97204|"
    "Denver/CO/80202|Nashua/NH/03060|Tulsa/OK/74103",
    "Harbor St|Alder Ave|Quarry Rd|O'Farrell St|2nd Ave N",
    "Dana|Marcus|Siobhán|Jo-Ann|Wendell|Priya|Ruth",
    "O'Leary|Whitfield|Nguyễn|St. James|Okafor-Lane|Kowalczyk",
    "Copperline|Blue Heron|Juniper|Ridgeway|Fourth & Main|Halcyon|Kettle|D'Arcy",
    "Logistics LLC|Foods, Inc.|Health Partners|Robotics Corp.|Media Group|Credit Union",
)  # fmt: skip
_DE = _place(
    "DE", "de-DE", "+4930555",
    "Köln//50667|Münster//48143|Görlitz//02826", "Hauptstraße|Am Mühlgraben|Königsallee",
    "Jürgen|Änne|Sören|Liselotte", "Müller-Lüdenscheidt|Groß|Yıldız|Weiß",
    "Sägewerk Bühler|Nordlicht|Größer & Söhne|Elbtal", "GmbH|AG|GmbH & Co. KG|e. V.",
)  # fmt: skip
_FR = _place(
    "FR", "fr-FR", "+33155500",
    "Besançon//25000|Évreux//27000|L'Haÿ-les-Roses//94240", "rue de l'Église|quai d'Orléans",
    "Zoé|François|Gaëlle", "L'Hôpital|de la Tour d'Aigues|Çelik",
    "Aux Délices d'Élodie|Verrerie du Cœur|L'Atelier Noël", "SARL|SAS|SA",
)  # fmt: skip
_NL = _place(
    "NL", "nl-NL", "+31205550", "'s-Hertogenbosch//5211 AB|Leeuwarden//8911 DJ", "Oude Gracht",
    "Joost|Ans", "van 't Hof|de IJzer", "IJssel Techniek|De Groene Fiets", "B.V.|N.V.",
)  # fmt: skip
_ES = _place(
    "ES", "es-ES", "+34915550", "Logroño/La Rioja/26001|A Coruña/A Coruña/15001", "Calle Núñez",
    "Íñigo|María José", "Muñoz Ibáñez|Peña", "Aceites Niño|Piñón Digital", "S.L.|S.A.",
)  # fmt: skip
_GR = _place(
    "GR", "el-GR", "+30210555", "Αθήνα//105 57", "Οδός Ερμού", "Ελένη|Γιώργος",
    "Παπαδοπούλου|Ξανθός", "Ναυτιλιακή Αιγαίου|Ελαιώνας", "Α.Ε.|Ο.Ε.",
)  # fmt: skip
_JP = _place(
    "JP", "ja-JP", "+81355550", "千代田区/東京都/100-0005|神戸市/兵庫県/650-0021",
    "丸の内 1丁目|元町通",
    "太郎|美咲|健", "山田|髙橋|渡邉", "株式会社さくら|有限会社青葉|合同会社みなと",
    "製作所|ソフトウェア|商事",
)  # fmt: skip
_BH = _place(
    "BH", "ar-BH", "+97317555", "Manama//317|المحرق//202", "Road 1705|طريق الملك فيصل",
    "فاطمة|Yusuf", "الخليفة|Al-Mannai", "شركة اللؤلؤ|Gulf Pearl|Dilmun", "للتجارة|W.L.L.|B.S.C.",
)  # fmt: skip
_ABROAD = [  # they pay in dollars
    _place("GB", "en-GB", "+44205550", "Hay-on-Wye//HR3 5AE", "King's Mews", "Niamh|Alasdair",
           "Llewelyn-Fforde|MacAoidh", "Thistle & Rye|St Giles'", "Ltd|plc|LLP"),
    _place("IN", "en-IN", "+91805550", "Bengaluru/KA/560001", "MG Road", "అనిల్|Deepika",
           "రెడ్డి|Iyer", "नीलकमल|Meghdoot", "Pvt. Ltd.|LLP"),
    _place("BR", "pt-BR", "+55115550", "São Paulo/SP/01310-100", "Av. São João", "João|Conceição",
           "Gonçalves d'Ávila|Simões", "Pão & Cia|Açaí Tech", "Ltda.|S.A."),
    _place("CA", "fr-CA", "+15145550", "Montréal/QC/H2X 1Y4", "rue Saint-Denis", "Noëlla|Tom",
           "Bélanger|Fraser", "Érablière Sud|True North", "inc.|Ltée"),
    _place("PL", "pl-PL", "+48225550", "Łódź//90-001", "ul. Żwirki", "Żaneta|Paweł",
           "Brzęczyszczykiewicz|Wójcik", "Źródło|Piękno", "Sp. z o.o.|S.A."),
]  # fmt: skip
_PLACES = {"USD": [_US, _US, _US, *_ABROAD], "EUR": [_DE, _DE, _FR, _FR, _NL, _ES, _GR]}
_PLACES |= {"JPY": [_JP], "BHD": [_BH]}

# Names that reports and spreadsheets must survive; NetSuite's limit is 83 characters.
_ODD_NAMES = {
    6: "=SUM(A1:A9) Analytics Ltd",
    8: '<b>Bold</b> & "Quoted" Studios',
    11: "O'Brien, O'Neil & D'Souza Attorneys-at-Law",
    13: "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft AG",
    16: "@nalytics +1 -Now-",
    19: "Ünïcødé Works™ 🚀",
}
_MAILBOXES = ("billing", "accounts", "ap", "invoices", "finance", "buchhaltung", "office")
_LATIN = str.maketrans(
    "áàâäãåçéèêëíìîïñóòôöõøúùûüÿčšžłżśźćńęąğış",
    "aaaaaaceeeeiiiinoooooouuuuycszlzszcneagis",
)


def signup_times(seed: int, size: int, span: Span) -> list[int]:
    """When each client signed up: more and more of them, some within the last days."""
    times = []
    for index in range(size):
        rng = random.Random(f"{seed}:signup:{index}")
        if index % _RECENT_EVERY == 3:
            times.append(span.now - rng.randint(DAY // 4, 12 * DAY))
            continue
        if index % 44 == 26:  # on trial by now, see life.py
            times.append(span.now - rng.randint(17, 27) * DAY)
            continue
        room = span.cutoff - 2 * DAY - span.start
        times.append(span.start + DAY + int(room * (rng.random() ** 0.62)) - rng.randint(0, DAY))
    return [max(time, span.start + 60) for time in times]


def biller_of(seed: int, index: int, billers: Sequence[str]) -> str:
    """Who bills a client: the first named bills half of them, the others share the rest."""
    if len(billers) == 1:
        return billers[0]
    rng = random.Random(f"{seed}:biller:{index}")
    return billers[0] if rng.random() < 0.5 else rng.choice(billers[1:])


def build_client(rng: random.Random, index: int, created: int, catalog: Catalog) -> Client:
    currency = CURRENCIES[CURRENCY_MIX[index % len(CURRENCY_MIX)]]
    place = rng.choice(_PLACES[currency.code])
    person = rng.random() < 0.15 and index not in _ODD_NAMES
    first, last = (rng.choice(place.firsts), rng.choice(place.lasts)) if person else ("", "")
    company = f"{rng.choice(place.words)} {rng.choice(place.forms)}"
    name = f"{first} {last}" if person else _ODD_NAMES.get(index, company)
    city, state, code = rng.choice(place.cities)
    tax = catalog.taxes.get((place.country, state if place.country == "US" else None))
    reverse = place.country in ("DE", "FR", "NL", "ES", "GR") and not person and index % 2 == 0
    return Client(
        index=index,
        id=new_id(rng, "cus_", 14),
        name=name,
        first=first,
        last=last,
        email=None if index % 50 == 37 else _email(rng, index, first or company),
        phone=f"{place.dial}{rng.randint(100, 9999):04d}" if rng.random() < 0.6 else None,
        street=f"{rng.choice(place.streets)} {rng.randint(1, 240)}",
        city=city,
        state=state,
        postal_code=code,
        country=place.country,
        locale=place.locale,
        currency=currency,
        created=created,
        prefix=new_prefix(rng),
        tax=catalog.no_tax if reverse else tax,
        reverse_charge=reverse,
        sends_invoices=index % 10 in (1, 5, 8),
        matched_by_email=index % 24 == 5 and index % 50 != 37,
        card=rng.choice(["4242", "4444", "0005", "1881", "9424"]),
    )


def _email(rng: random.Random, index: int, name: str) -> str:
    """Unique through the index; what does not go into a host name is left out."""
    plain = name.lower().translate(_LATIN)
    word = "".join(letter for letter in plain.split()[0] if letter.isascii() and letter.isalnum())
    return f"{rng.choice(_MAILBOXES)}@{word or 'client'}-{index}.example"
