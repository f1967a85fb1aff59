"""Words that Salesforce's side of the company uses: countries, people, stages, dates."""

from __future__ import annotations

from datetime import UTC, datetime

COUNTRIES = {
    "US": "United States",
    "DE": "Germany",
    "FR": "France",
    "NL": "Netherlands",
    "ES": "Spain",
    "IT": "Italy",
    "IE": "Ireland",
    "GR": "Greece",
    "JP": "Japan",
    "BH": "Bahrain",
    "GB": "United Kingdom",
    "IN": "India",
    "BR": "Brazil",
    "CA": "Canada",
    "PL": "Poland",
}
INDUSTRIES = ("Technology", "Manufacturing", "Media", "Healthcare", "Retail", "Consulting")
REPS = (("Morgan", "Hale"), ("Ines", "Duarte"), ("Tomasz", "Zielinski"))

# Stage: (probability, forecast category) of deals that are still open.
OPEN_STAGES = {
    "Prospecting": (10, "Pipeline"),
    "Qualification": (10, "Pipeline"),
    "Value Proposition": (50, "Pipeline"),
    "Negotiation/Review": (90, "Pipeline"),
}


def instant(second: int) -> str:
    """As Salesforce's REST API shows a datetime."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
