"""Lists of words and of parameters that several endpoints share, by name."""

from __future__ import annotations

# Words that a parameter may have, `/` between them: "$name" in a specification.
WORDS: dict[str, str] = {
    "cancel_option": "immediately/end_of_term/specific_date/end_of_billing_term",
    "charge_on_event": (
        "subscription_creation/subscription_trial_start/plan_activation/"
        "subscription_activation/contract_termination/on_demand"
    ),
    "contract_cancel": (
        "terminate_immediately/end_of_contract_term/specific_date/end_of_subscription_billing_term"
    ),
    "coupon_coupon_constraint_type": "max_redemptions/unique_by/existing_customer/new_customer",
    "credit_reason": (
        "write_off/subscription_change/subscription_cancellation/subscription_pause/"
        "chargeback/product_unsatisfactory/service_unsatisfactory/order_change/"
        "order_cancellation/waiver/other/fraudulent"
    ),
    "customer_type": "residential/business/senior_citizen/industrial",
    "discount_entity": (
        "item_level_coupon/document_level_coupon/promotional_credits/prorated_credits/"
        "item_level_discount/document_level_discount"
    ),
    "gateway": (
        "chargebee/chargebee_payments/adyen/stripe/wepay/braintree/authorize_net/"
        "paypal_pro/pin/eway/eway_rapid/worldpay/balanced_payments/beanstream/bluepay/"
        "elavon/first_data_global/hdfc/migs/nmi/ogone/paymill/paypal_payflow_pro/"
        "sage_pay/tco/wirecard/amazon_payments/paypal_express_checkout/orbital/"
        "moneris_us/moneris/bluesnap/cybersource/vantiv/checkout_com/paypal/"
        "ingenico_direct/exact/mollie/quickbooks/razorpay/global_payments/"
        "bank_of_america/ecentric/metrics_global/windcave/pay_com/ebanx/dlocal/nuvei/"
        "solidgate/paystack/jp_morgan/deutsche_bank/ezidebit/twikey/tempus/moyasar/"
        "payway/payu/gocardless/not_applicable"
    ),
    "invoice_note_entity_type": (
        "coupon/subscription/customer/plan_item_price/addon_item_price/charge_item_price/"
        "tax/plan/addon"
    ),
    "invoice_status": "paid/posted/payment_due/not_paid/voided/pending",
    "line_entity": (
        "adhoc/plan_item_price/addon_item_price/charge_item_price/plan_setup/plan/addon"
    ),
    "offline_method": (
        "no_preference/cash/check/bank_transfer/ach_credit/sepa_credit/boleto/"
        "us_automated_bank_transfer/eu_automated_bank_transfer/"
        "uk_automated_bank_transfer/jp_automated_bank_transfer/"
        "mx_automated_bank_transfer/custom"
    ),
    "on_event": (
        "subscription_creation/subscription_trial_start/plan_activation/"
        "subscription_activation/contract_termination"
    ),
    "pause_option": "immediately/end_of_term/specific_date/billing_cycles",
    "payment_method": (
        "cash/check/bank_transfer/other/custom/tamara/qpay/blik/fpx/wero/p24/chargeback/"
        "card/amazon_payments/paypal_express_checkout/direct_debit/alipay/unionpay/"
        "apple_pay/wechat_pay/ach_credit/sepa_credit/ideal/google_pay/sofort/bancontact/"
        "giropay/dotpay/upi/netbanking_emandates/boleto/venmo/pay_to/faster_payments/"
        "sepa_instant_transfer/automated_bank_transfer/klarna_pay_now/"
        "online_banking_poland/payconiq_by_bancontact/electronic_payment_standard/"
        "kbc_payment_button/pay_by_bank/trustly/stablecoin/kakao_pay/naver_pay/"
        "revolut_pay/cash_app_pay/pix/twint/go_pay/grab_pay/pay_co/after_pay/swish/payme/"
        "klarna/alipay_hk/paypay/gcash/south_korean_cards/paynow/bizum/promptpay/dana/"
        "touch_n_go/ovo/momo/mercado_pago/nequi/nupay/picpay/thai_qr/affirm_pay/"
        "rakuten_pay"
    ),
    "proration_mode": "reset/delta/service_period_revision/adjusted_term",
    "receivables_handling": "no_action/schedule_payment_collection/write_off",
    "subscription_status": "future/in_trial/active/non_renewing/paused/cancelled/transferred",
    "tax_juris": "country/federal/state/county/city/special/unincorporated/other",
    "tax_override": (
        "zero_rated/id_exempt/customer_exempt/region_non_taxable/product_exempt/export/"
        "high_value_physical_goods/zero_value_item/tax_not_configured_external_provider"
    ),
    "trial_end": "site_default/activate_subscription/cancel_subscription",
    "trial_end_action": "site_default/plan_default/activate_subscription/cancel_subscription",
}

# Parameters that several endpoints nest: "@name" in a specification.
GROUPS: dict[str, str] = {
    "address": (
        "first_name last_name email company phone line1 line2 line3 city state_code state zip "
        "country validation_status:not_validated/valid/partially_valid/invalid"
    ),
    "card": (
        "gateway:$gateway gateway_account_id tmp_token first_name last_name number expiry_month:i "
        "expiry_year:i cvv preferred_scheme billing_addr1 billing_addr2 billing_city "
        "billing_state_code billing_state billing_zip billing_country ip_address "
        "additional_information:j"
    ),
    "bank_account": (
        "gateway_account_id iban first_name last_name company email phone bank_name "
        "account_number routing_number bank_code "
        "account_type:checking/savings/business_checking/current "
        "account_holder_type:individual/company echeck_type:web/ppd/ccd issuing_country "
        "swedish_identity_number billing_address:j"
    ),
    "payment_method": (
        "type gateway:$gateway gateway_account_id reference_id tmp_token issuing_country "
        "additional_information:j"
    ),
    "payment_intent": (
        "id gateway_account_id gw_token payment_method_type reference_id gw_payment_method_id "
        "additional_information:j"
    ),
    "import_line": (
        "id date_from:i date_to:i subscription_id description! unit_amount:i quantity:i amount:i "
        "unit_amount_in_decimal quantity_in_decimal amount_in_decimal entity_type:$line_entity "
        "entity_id item_level_discount1_entity_id item_level_discount1_amount:i "
        "item_level_discount2_entity_id item_level_discount2_amount:i tax1_name tax1_amount:i "
        "tax2_name tax2_amount:i tax3_name tax3_amount:i tax4_name tax4_amount:i tax5_name "
        "tax5_amount:i tax6_name tax6_amount:i tax7_name tax7_amount:i tax8_name tax8_amount:i "
        "tax9_name tax9_amount:i tax10_name tax10_amount:i is_partial_tax_applied:b "
        "taxable_amount:i proration_mode:$proration_mode created_at:i"
    ),
    "tier": (
        "item_price_id starting_unit:i ending_unit:i price:i starting_unit_in_decimal "
        "ending_unit_in_decimal price_in_decimal pricing_type:per_unit/flat_fee/package "
        "package_size:i"
    ),
    "line_tier": (
        "line_item_id! starting_unit:i ending_unit:i quantity_used:i unit_amount:i "
        "starting_unit_in_decimal ending_unit_in_decimal quantity_used_in_decimal "
        "unit_amount_in_decimal"
    ),
    "import_contract": (
        "id created_at:i contract_start:i billing_cycle:i total_amount_raised:i "
        "total_amount_raised_before_tax:i action_at_term_end:renew/evergreen/cancel/renew_once "
        "cancellation_cutoff_period:i"
    ),
    "access": (
        "portal_edit_child_subscriptions:yes/view_only/no "
        "portal_download_child_invoices:yes/view_only/no send_subscription_emails:b "
        "send_payment_emails:b send_invoice_emails:b"
    ),
}
