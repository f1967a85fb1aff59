"""The parameters of writes to invoices and credit notes; params.py says how to read them.

https://apidocs.chargebee.com/docs/api
"""

from __future__ import annotations

SPECS: dict[str, str] = {
    "invoice.create": (
        "customer_id subscription_id currency_code addons:[id quantity:i unit_price:i "
        "quantity_in_decimal unit_price_in_decimal date_from:i date_to:i] invoice_date:i "
        "charges:[amount:i amount_in_decimal description taxable:b tax_profile_id "
        "avalara_tax_code hsn_code taxjar_product_code "
        "avalara_sale_type:wholesale/retail/consumed/vendor_use avalara_transaction_type:i "
        "avalara_service_type:i date_from:i date_to:i] tax_providers_fields:[provider_name "
        "field_id field_value] invoice_note remove_general_note:b notes_to_remove:[entity_type "
        "entity_id] po_number coupon coupon_ids:l authorization_transaction_id payment_source_id "
        "auto_collection:on/off shipping_address:{@address} statement_descriptor:{descriptor} "
        "card:{@card} bank_account:{@bank_account} token_id payment_method:{@payment_method} "
        "payment_intent:{@payment_intent} replace_primary_payment_source:b "
        "retain_payment_source:b payment_initiator:customer/merchant"
    ),
    "invoice.create_for_charge_items_and_charges": (
        "customer_id subscription_id currency_code item_prices:[item_price_id quantity:i "
        "quantity_in_decimal unit_price:i unit_price_in_decimal date_from:i date_to:i description "
        "entity_description] item_tiers:[@tier] charges:[entity_description amount:i "
        "amount_in_decimal description taxable:b tax_profile_id avalara_tax_code hsn_code "
        "taxjar_product_code avalara_sale_type:wholesale/retail/consumed/vendor_use "
        "avalara_transaction_type:i avalara_service_type:i date_from:i date_to:i] invoice_note "
        "remove_general_note:b notes_to_remove:[entity_type entity_id] po_number coupon "
        "coupon_ids:l authorization_transaction_id payment_source_id auto_collection:on/off "
        "net_term_days:i tax_providers_fields:[provider_name field_id field_value] "
        "discounts:[percentage:d amount:i quantity:i apply_on!:invoice_amount/specific_item_price "
        "item_price_id] invoice_date:i create_pending_invoice:b shipping_address:{@address} "
        "statement_descriptor:{descriptor} card:{@card} bank_account:{@bank_account} token_id "
        "payment_method:{@payment_method} payment_intent:{@payment_intent} "
        "replace_primary_payment_source:b retain_payment_source:b "
        "payment_initiator:customer/merchant"
    ),
    "invoice.create_for_charge_item": (
        "customer_id subscription_id item_price:{item_price_id! quantity:i quantity_in_decimal "
        "unit_price:i unit_price_in_decimal date_from:i date_to:i} item_tiers:[starting_unit:i "
        "ending_unit:i price:i starting_unit_in_decimal ending_unit_in_decimal price_in_decimal "
        "pricing_type:per_unit/flat_fee/package package_size:i] po_number coupon "
        "payment_source_id payment_initiator:customer/merchant invoice_date:i"
    ),
    "invoice.charge": (
        "customer_id subscription_id currency_code amount:i amount_in_decimal description! "
        "date_from:i date_to:i coupon_ids:l coupon "
        "avalara_sale_type:wholesale/retail/consumed/vendor_use avalara_transaction_type:i "
        "avalara_service_type:i po_number invoice_date:i tax_providers_fields:[provider_name "
        "field_id field_value] payment_source_id payment_initiator:customer/merchant"
    ),
    "invoice.charge_addon": (
        "customer_id subscription_id addon_id! addon_quantity:i addon_unit_price:i "
        "addon_quantity_in_decimal addon_unit_price_in_decimal date_from:i date_to:i coupon_ids:l "
        "coupon po_number invoice_date:i payment_source_id payment_initiator:customer/merchant"
    ),
    "invoice.import_invoice": (
        "id! currency_code customer_id subscription_id po_number "
        "price_type:tax_exclusive/tax_inclusive tax_override_reason:$tax_override vat_number "
        "vat_number_prefix date!:i total!:i round_off:i status:$invoice_status voided_at:i "
        "void_reason_code is_written_off:b write_off_amount:i write_off_date:i due_date:i "
        "net_term_days:i has_advance_charges:b use_for_proration:b paid_at:i "
        "line_items:[@import_line] payment_reference_numbers:[id type! number!] "
        "line_item_tiers:[@line_tier] discounts:[line_item_id entity_type!:$discount_entity "
        "entity_id description amount!:i] taxes:[name! rate!:d amount:i description "
        "juris_type:$tax_juris juris_name juris_code] credit_note:{id} payments:[id amount!:i "
        "payment_method!:$payment_method date:i reference_number] "
        "notes:[entity_type:$invoice_note_entity_type entity_id note] billing_address:{@address} "
        "shipping_address:{@address} line_item_addresses:[line_item_id first_name last_name email "
        "company phone line1 line2 line3 city state_code state zip country "
        "validation_status:not_validated/valid/partially_valid/invalid]"
    ),
    "invoice.record_payment": (
        "transaction:{amount:i payment_method!:$payment_method reference_number "
        "custom_payment_method_id id_at_gateway status date:i error_code error_text} comment"
    ),
    "invoice.record_refund": (
        "transaction:{amount:i payment_method!:$payment_method reference_number "
        "custom_payment_method_id date!:i} credit_note:{reason_code create_reason_code} comment "
        "customer_notes"
    ),
    "invoice.refund": (
        "refund_amount:i credit_note:{reason_code create_reason_code} comment customer_notes"
    ),
    "invoice.void_invoice": "comment void_reason_code",
    "invoice.write_off": "comment",
    "invoice.close": (
        "comment invoice_note remove_general_note:b notes_to_remove:[entity_type entity_id] "
        "invoice_date:i"
    ),
    "invoice.delete": "comment",
    "invoice.update_details": (
        "billing_address:{@address} shipping_address:{@address} statement_descriptor:{descriptor} "
        "vat_number vat_number_prefix po_number comment"
    ),
    "invoice.apply_credits": "credit_notes:[id] comment",
    "invoice.apply_payments": "transactions:[id amount:i] comment",
    "invoice.remove_payment": "transaction:{id!}",
    "invoice.remove_credit_note": "credit_note:{id!}",
    "invoice.stop_dunning": "comment",
    "invoice.pause_dunning": "expected_payment_date!:i comment",
    "invoice.resume_dunning": "comment",
    "invoice.collect_payment": (
        "amount:i authorization_transaction_id payment_source_id comment "
        "payment_initiator:customer/merchant"
    ),
    "invoice.add_charge": (
        "amount!:i description! avalara_sale_type:wholesale/retail/consumed/vendor_use "
        "avalara_transaction_type:i avalara_service_type:i avalara_tax_code hsn_code "
        "taxjar_product_code line_item:{date_from:i date_to:i} comment subscription_id"
    ),
    "invoice.add_charge_item": (
        "item_price:{item_price_id! quantity:i quantity_in_decimal unit_price:i "
        "unit_price_in_decimal date_from:i date_to:i} item_tiers:[starting_unit:i ending_unit:i "
        "price:i starting_unit_in_decimal ending_unit_in_decimal price_in_decimal "
        "pricing_type:per_unit/flat_fee/package package_size:i] comment subscription_id"
    ),
    "invoice.record_tax_withheld": "tax_withheld:{amount!:i reference_number date:i description}",
    "invoice.remove_tax_withheld": "tax_withheld:{id!}",
    "credit_note.create": (
        "reference_invoice_id customer_id total:i type!:adjustment/refundable/store "
        "reason_code:$credit_reason create_reason_code date:i customer_notes currency_code "
        "line_items:[reference_line_item_id unit_amount:i unit_amount_in_decimal quantity:i "
        "quantity_in_decimal amount:i date_from:i date_to:i description entity_type:$line_entity "
        "entity_id] comment"
    ),
    "credit_note.import_credit_note": (
        "id! customer_id subscription_id reference_invoice_id! type!:adjustment/refundable/store "
        "currency_code create_reason_code! date!:i status:adjusted/refunded/refund_due/voided "
        "total:i refunded_at:i voided_at:i sub_total:i round_off_amount:i fractional_correction:i "
        "vat_number_prefix line_items:[reference_line_item_id id date_from:i date_to:i "
        "subscription_id description! unit_amount:i quantity:i amount:i unit_amount_in_decimal "
        "quantity_in_decimal amount_in_decimal entity_type:$line_entity entity_id "
        "item_level_discount1_entity_id item_level_discount1_amount:i "
        "item_level_discount2_entity_id item_level_discount2_amount:i tax1_name tax1_amount:i "
        "tax2_name tax2_amount:i tax3_name tax3_amount:i tax4_name tax4_amount:i tax5_name "
        "tax5_amount:i tax6_name tax6_amount:i tax7_name tax7_amount:i tax8_name tax8_amount:i "
        "tax9_name tax9_amount:i tax10_name tax10_amount:i is_partial_tax_applied:b "
        "taxable_amount:i proration_mode:$proration_mode] line_item_tiers:[@line_tier] "
        "discounts:[line_item_id entity_type!:$discount_entity entity_id description amount!:i] "
        "taxes:[name! rate!:d amount:i description juris_type:$tax_juris juris_name juris_code] "
        "allocations:[invoice_id! allocated_amount!:i allocated_at!:i] linked_refunds:[id "
        "amount!:i payment_method!:$payment_method date!:i reference_number]"
    ),
    "credit_note.record_refund": (
        "transaction:{id amount:i payment_method!:$payment_method reference_number "
        "custom_payment_method_id date!:i} refund_reason_code comment"
    ),
    "credit_note.refund": "refund_amount:i customer_notes refund_reason_code",
    "credit_note.void_credit_note": "comment",
    "credit_note.delete": "comment",
}
