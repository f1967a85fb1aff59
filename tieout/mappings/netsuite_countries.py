"""SOAP's own words for countries, where they are not the English names that CLDR has.

The list is the enumeration `Country` of urn:types.common_2023_2.platform.webservices.netsuite.com.
The Canary Islands, and Ceuta and Melilla, have a word there but no code in ISO 3166-1.
"""

from __future__ import annotations

import re

SOAP_COUNTRIES = {
    "_boliviaPlurinationalStateOf": "BO",
    "_bonaireSintEustatiusAndSaba": "BQ",
    "_bruneiDarussalam": "BN",
    "_congo": "CG",
    "_congoTheDemocraticRepublicOfThe": "CD",
    "_falklandIslandsMalvinas": "FK",
    "_heardIslandAndMcdonaldIslands": "HM",
    "_holySee": "VA",
    "_iranIslamicRepublicOf": "IR",
    "_koreaTheDemocraticPeoplesRepublicOf": "KP",
    "_koreaTheRepublicOf": "KR",
    "_laoPeoplesDemocraticRepublic": "LA",
    "_micronesiaFederatedStatesOf": "FM",
    "_moldovaTheRepublicOf": "MD",
    "_myanmar": "MM",
    "_palestineStateOf": "PS",
    "_pitcairn": "PN",
    "_russianFederation": "RU",
    "_saintBarthelemy": "BL",
    "_saintHelenaAscensionAndTristanDaCunha": "SH",
    "_saintKittsAndNevis": "KN",
    "_saintLucia": "LC",
    "_saintMartinFrenchPart": "MF",
    "_saintPierreAndMiquelon": "PM",
    "_saintVincentAndTheGrenadines": "VC",
    "_sintMaartenDutchPart": "SX",
    "_southGeorgiaAndTheSouthSandwichIslands": "GS",
    "_syrianArabRepublic": "SY",
    "_tanzaniaTheUnitedRepublicOf": "TZ",
    "_unitedStatesMinorOutlyingIslands": "UM",
    "_venezuelaBolivarianRepublicOf": "VE",
    "_virginIslandsBritish": "VG",
    "_virginIslandsUS": "VI",
    "_wallisAndFutunaIslands": "WF",
}


def soap_country(word: str) -> str:
    """`_koreaTheRepublicOf` as its code, else as words to look up: `_southAfrica`, South Africa."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word[1:]).title()
    return SOAP_COUNTRIES.get(word, spaced)
