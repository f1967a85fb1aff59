"""SOAP's own words for countries and languages, where they are not the names that CLDR has.

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


# The enumeration `Language` and the codes that REST and SuiteQL have for the same languages.
SOAP_LANGUAGES = {
    "_chineseSimplified": "zh_CN", "_chineseTraditional": "zh_TW", "_czech": "cs_CZ",
    "_danish": "da_DK", "_dutch": "nl_NL", "_englishAu": "en_AU", "_englishCa": "en_CA",
    "_englishInternational": "en", "_englishUK": "en_GB", "_englishUS": "en_US",
    "_finnish": "fi_FI", "_frenchCanada": "fr_CA", "_frenchFrance": "fr_FR", "_german": "de_DE",
    "_italian": "it_IT", "_japanese": "ja_JP", "_korean": "ko_KR",
    "_latinAmericanSpanish": "es_AR", "_norwegian": "no_NO", "_polish": "pl_PL",
    "_portugueseBrazil": "pt_BR", "_portuguesePortugal": "pt_PT", "_russian": "ru_RU",
    "_spanish": "es_ES", "_swedish": "sv_SE", "_thai": "th_TH", "_turkish": "tr_TR",
}  # fmt: skip


def soap_language(word: str | None) -> str | None:
    """`_englishUS` as `en_US`; another language's word without its underscore."""
    if word is None or not word.startswith("_"):
        return word
    return SOAP_LANGUAGES.get(word, word[1:])
