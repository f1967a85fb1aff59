"""The parameters of writes to customers, credits, payments and usage; see params.py.

https://apidocs.chargebee.com/docs/api
"""

from __future__ import annotations

SPECS: dict[str, str] = {
    "customer.create": (
        "id first_name last_name email preferred_currency_code phone company "
        "auto_collection:on/off net_term_days:i allow_direct_debit:b vat_number vat_number_prefix "
        "entity_identifier_scheme entity_identifier_standard registered_for_gst:b "
        "is_einvoice_enabled:b einvoicing_method:automatic/manual/site_default "
        "taxability:taxable/exempt/zero_rated exemption_details:j customer_type:$customer_type "
        "client_profile_id taxjar_exemption_category:wholesale/government/other "
        "business_customer_without_vat_number:b locale "
        "entity_code:a/b/c/d/e/f/g/h/i/j/k/l/m/n/p/q/r/med1/med2 exempt_number meta_data:j "
        "offline_payment_method:$offline_method auto_close_invoices:b consolidated_invoicing:b "
        "card:{@card} bank_account:{@bank_account} token_id payment_method:{@payment_method} "
        "payment_intent:{@payment_intent} billing_address:{@address} entity_identifiers:[id "
        "scheme value standard] business_entity_id brand_id tax_providers_fields:[provider_name "
        "field_id field_value] created_from_ip invoice_notes"
    ),
    "customer.update": (
        "first_name last_name email preferred_currency_code phone company auto_collection:on/off "
        "allow_direct_debit:b net_term_days:i taxability:taxable/exempt/zero_rated "
        "exemption_details:j customer_type:$customer_type client_profile_id "
        "taxjar_exemption_category:wholesale/government/other locale "
        "entity_code:a/b/c/d/e/f/g/h/i/j/k/l/m/n/p/q/r/med1/med2 exempt_number "
        "offline_payment_method:$offline_method invoice_notes auto_close_invoices:b meta_data:j "
        "fraud_flag:safe/suspicious/fraudulent consolidated_invoicing:b "
        "tax_providers_fields:[provider_name field_id field_value]"
    ),
    "customer.update_billing_info": (
        "billing_address:{@address} entity_identifiers:[id scheme value "
        "operation:create/update/delete standard] vat_number vat_number_prefix "
        "entity_identifier_scheme entity_identifier_standard registered_for_gst:b "
        "business_customer_without_vat_number:b is_einvoice_enabled:b "
        "einvoicing_method:automatic/manual/site_default tax_providers_fields:[provider_name "
        "field_id field_value]"
    ),
    "customer.add_contact": (
        "contact:{id first_name last_name email! phone label enabled:b send_billing_email:b "
        "send_account_email:b}"
    ),
    "customer.update_contact": (
        "contact:{id! first_name last_name email phone label enabled:b send_billing_email:b "
        "send_account_email:b}"
    ),
    "customer.delete_contact": "contact:{id!}",
    "customer.record_excess_payment": (
        "transaction:{id amount!:i currency_code date!:i payment_method!:$payment_method "
        "reference_number custom_payment_method_id} comment"
    ),
    "customer.add_promotional_credits": (
        "amount!:i currency_code description! "
        "credit_type:loyalty_credits/referral_rewards/general reference"
    ),
    "customer.deduct_promotional_credits": (
        "amount!:i currency_code description! "
        "credit_type:loyalty_credits/referral_rewards/general reference"
    ),
    "customer.set_promotional_credits": (
        "amount!:i currency_code description! "
        "credit_type:loyalty_credits/referral_rewards/general reference"
    ),
    "customer.delete": "delete_payment_method:b",
    "customer.relationships": (
        "parent_id payment_owner_id invoice_owner_id use_default_hierarchy_settings:b "
        "parent_account_access:{@access} "
        "child_account_access:{portal_edit_subscriptions:yes/view_only "
        "portal_download_invoices:yes/view_only/no send_subscription_emails:b "
        "send_payment_emails:b send_invoice_emails:b}"
    ),
    "customer.contacts_for_customer": "limit:i offset",
    "promotional_credit.add": (
        "customer_id! amount:i amount_in_decimal currency_code description! "
        "credit_type:loyalty_credits/referral_rewards/general reference"
    ),
    "promotional_credit.deduct": (
        "customer_id! amount:i amount_in_decimal currency_code description! "
        "credit_type:loyalty_credits/referral_rewards/general reference"
    ),
    "promotional_credit.set": (
        "customer_id! amount:i amount_in_decimal currency_code description! "
        "credit_type:loyalty_credits/referral_rewards/general reference"
    ),
    "transaction.record_refund": (
        "amount:i payment_method!:$payment_method date!:i reference_number "
        "custom_payment_method_id comment"
    ),
    "transaction.refund": "amount:i comment",
    "transaction.delete_offline_transaction": "comment",
    "unbilled_charge.create": (
        "subscription_id! currency_code item_prices:[item_price_id quantity:i quantity_in_decimal "
        "unit_price:i unit_price_in_decimal date_from:i date_to:i] item_tiers:[@tier] "
        "charges:[amount:i amount_in_decimal description taxable:b tax_profile_id "
        "avalara_tax_code hsn_code taxjar_product_code "
        "avalara_sale_type:wholesale/retail/consumed/vendor_use avalara_transaction_type:i "
        "avalara_service_type:i date_from:i date_to:i] tax_providers_fields:[provider_name "
        "field_id field_value]"
    ),
    "unbilled_charge.create_unbilled_charge": (
        "subscription_id! currency_code addons:[id quantity:i unit_price:i quantity_in_decimal "
        "unit_price_in_decimal date_from:i date_to:i] charges:[amount:i amount_in_decimal "
        "description taxable:b tax_profile_id avalara_tax_code hsn_code taxjar_product_code "
        "avalara_sale_type:wholesale/retail/consumed/vendor_use avalara_transaction_type:i "
        "avalara_service_type:i date_from:i date_to:i] tax_providers_fields:[provider_name "
        "field_id field_value]"
    ),
    "unbilled_charge.invoice_unbilled_charges": "subscription_id customer_id",
    "usage.create": (
        "id item_price_id! quantity! usage_date!:i dedupe_option:skip/update_existing note"
    ),
    "usage.delete": "id!",
}
