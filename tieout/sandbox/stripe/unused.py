"""What Stripe has and this account does not use: lists that are empty until something is loaded.

A line of OTHER_KINDS is: the object's kind, its path, its id's prefix, then the list's filters;
`!` behind a filter means that the list is refused without it, `created` that it takes a range of
creation times. https://docs.stripe.com/api (one page per kind)
"""

from __future__ import annotations

OTHER_KINDS = """
file /v1/files file_ created purpose
tax_code /v1/tax_codes txcd_
tax.registration /v1/tax/registrations taxreg_ status
country_spec /v1/country_specs -
exchange_rate /v1/exchange_rates -
invoice_rendering_template /v1/invoice_rendering_templates inrtem_ status
billing.alert /v1/billing/alerts alrt_ alert_type meter
billing.credit_balance_transaction /v1/billing/credit_balance_transactions cbtxn_ customer \
customer_account credit_grant
billing_portal.configuration /v1/billing_portal/configurations bpc_ active is_default
test_helpers.test_clock /v1/test_helpers/test_clocks clock_
entitlements.feature /v1/entitlements/features feat_ archived lookup_key
entitlements.active_entitlement /v1/entitlements/active_entitlements ent_ customer!
setup_attempt /v1/setup_attempts setatt_ created setup_intent!
radar.value_list /v1/radar/value_lists rsl_ created alias contains
radar.value_list_item /v1/radar/value_list_items rsli_ created value_list! value
payment_method_configuration /v1/payment_method_configurations pmc_ application
payment_method_domain /v1/payment_method_domains pmd_ domain_name enabled
apple_pay_domain /v1/apple_pay/domains apwc_ domain_name
reporting.report_run /v1/reporting/report_runs frr_ created
reporting.report_type /v1/reporting/report_types -
scheduled_query_run /v1/sigma/scheduled_query_runs sqr_
terminal.location /v1/terminal/locations tml_
terminal.reader /v1/terminal/readers tmr_ device_type location serial_number status
terminal.configuration /v1/terminal/configurations tmc_ is_account_default
identity.verification_session /v1/identity/verification_sessions vs_ created status \
client_reference_id related_customer
identity.verification_report /v1/identity/verification_reports vr_ created type \
verification_session client_reference_id
financial_connections.account /v1/financial_connections/accounts fca_
forwarding.request /v1/forwarding/requests fwdreq_ created
climate.product /v1/climate/products climsku_
climate.order /v1/climate/orders climorder_
climate.supplier /v1/climate/suppliers -
issuing.authorization /v1/issuing/authorizations iauth_ created card cardholder status
issuing.card /v1/issuing/cards ic_ created cardholder exp_month exp_year last4 \
personalization_design status type
issuing.cardholder /v1/issuing/cardholders ich_ created email phone_number status type
issuing.transaction /v1/issuing/transactions ipi_ created card cardholder type
issuing.dispute /v1/issuing/disputes idp_ created status transaction
"""

# A list below one object -> the kind of that object, the filters it takes.
BELOW: dict[str, tuple[str, str]] = {
    "/v1/customers/{}/sources": ("customer", "object"),
    "/v1/customers/{}/bank_accounts": ("customer", ""),
    "/v1/customers/{}/cards": ("customer", ""),
    "/v1/customers/{}/cash_balance_transactions": ("customer", ""),
    "/v1/accounts/{}/external_accounts": ("account", "object"),
    "/v1/accounts/{}/persons": ("account", "relationship:x"),
    "/v1/accounts/{}/capabilities": ("account", ""),
    "/v1/application_fees/{}/refunds": ("application_fee", ""),
    "/v1/transfers/{}/reversals": ("transfer", ""),
    "/v1/checkout/sessions/{}/line_items": ("checkout.session", ""),
    "/v1/payment_links/{}/line_items": ("payment_link", ""),
    "/v1/quotes/{}/line_items": ("quote", ""),
    "/v1/quotes/{}/computed_upfront_line_items": ("quote", ""),
    "/v1/products/{}/features": ("product", ""),
    "/v1/subscription_items/{}/usage_record_summaries": ("subscription_item", ""),
}
