"""Countries and languages: codes as they are, English names by CLDR, the rest unknown.

CLDR's names come from Babel, which is only loaded when a name has to be looked up.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# ISO 3166-1 alpha-2 (https://www.iso.org/iso-3166-country-codes.html), and XK as in CLDR.
_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR"
    " BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ"
    " EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW"
    " GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY"
    " KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV"
    " MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY"
    " QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG"
    " TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA"
    " ZM ZW"
)
CODES = frozenset(_CODES.split())

# CLDR's own English short and variant names, which Babel leaves out.
_VARIANTS = {
    "UK": "GB",
    "Bosnia": "BA",
    "Burma": "MM",
    "Czech Republic": "CZ",
    "Hong Kong": "HK",
    "Macao": "MO",
    "Palestine": "PS",
    "Congo (DRC)": "CD",
    "Congo (Republic)": "CG",
    "Ivory Coast": "CI",
    "Cabo Verde": "CV",
    "Swaziland": "SZ",
    "East Timor": "TL",
    "Turkey": "TR",
    "Macedonia": "MK",
}

_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*\Z")


def country_code(text: str) -> str | None:
    """ "de", "DEU", "Germany" and "_germany" -> "DE"; None if it names no country."""
    if text in CODES:
        return text
    bare = text.strip()
    if len(bare) == 2 and bare.upper() in CODES:
        return bare.upper()
    return _by_name().get(_compact(bare))


def language_tag(text: str) -> str | None:
    """ "en_us" -> "en-US"; None if it is no BCP 47 tag with a known language."""
    bare = text.strip()
    if not _TAG.match(bare):
        return None
    language, *rest = bare.replace("_", "-").split("-")
    if language.lower() not in _languages():
        return None
    return "-".join([language.lower(), *(_subtag(part) for part in rest)])


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 and part.isalpha() else part.lower()


def _compact(name: str) -> str:
    """Letters and digits only: case, accents, spaces and signs tell no countries apart."""
    bare = unicodedata.normalize("NFKD", name.casefold().replace("&", "and"))
    return "".join(sign for sign in bare if sign.isalnum() and not unicodedata.combining(sign))


@cache
def _by_name() -> dict[str, str]:
    from babel import Locale
    from babel.core import get_global

    names = {code: str(name) for code, name in Locale("en").territories.items() if code in CODES}
    found = {_compact(name): code for name, code in _VARIANTS.items()}
    found |= {_compact(name): code for code, name in names.items()}
    for alias, codes in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and codes[0] in CODES:
            found.setdefault(alias.casefold(), codes[0])
    return found


@cache
def _languages() -> frozenset[str]:
    from babel import Locale

    return frozenset(str(code).split("_")[0] for code in Locale("en").languages)
