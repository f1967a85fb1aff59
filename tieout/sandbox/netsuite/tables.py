"""The tables that SuiteQL queries can name, and what kind each column is.

Column names follow the Records Catalog (analytics data source):
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/article_159367781370.html
"""

from __future__ import annotations

from . import unused

# int, text, number (exact decimal), date (with or without time of day).
_TABLES = {
    "transaction": (
        "int: id entity currency postingperiod account terms createdby lastmodifiedby subsidiary "
        "reversal daysopen customform nexus;"
        "text: tranid transactionnumber type recordtype abbrevtype status memo otherrefnum email "
        "externalid posting voided void isreversal reversaldefer approvalstatus source "
        "trandisplayname tobeprinted customtype number typebaseddocumentnumber billingstatus;"
        "number: foreigntotal total exchangerate foreignamountpaid foreignamountunpaid "
        "foreignpaymentamountused foreignpaymentamountunused totalcostestimate taxtotal "
        "foreigntaxtotal;"
        "date: trandate duedate createddate lastmodifieddate closedate startdate enddate "
        "reversaldate"
    ),
    "transactionline": (
        "int: id transaction uniquekey linesequencenumber item entity expenseaccount "
        "subsidiary department class location createdfrom price units kitmemberof;"
        "text: mainline taxline iscogs isclosed memo itemtype donotdisplayline accountinglinetype "
        "transactionlinetype cleared isbillable transactiondiscount isinventoryaffecting "
        "isfullyshipped;"
        "number: foreignamount netamount quantity rate rateamount ratepercent costestimate "
        "creditforeignamount debitforeignamount foreignamountpaid foreignamountunpaid "
        "foreignpaymentamountused foreignpaymentamountunused;"
        "date: linelastmodifieddate linecreateddate cleareddate"
    ),
    "transactionaccountingline": (
        "int: transaction transactionline accountingbook account;"
        "text: posting accounttype processedbyrevcommit;"
        "number: debit credit amount netamount amountpaid amountunpaid amountlinked exchangerate "
        "paymentamountused paymentamountunused;"
        "date: lastmodifieddate"
    ),
    "previoustransactionlinelink": (
        "int: previousdoc previousline nextdoc nextline discount;"
        "text: linktype previoustype nexttype;"
        "number: foreignamount amount;"
        "date: previousdate nextdate lastmodifieddate"
    ),
    "customer": (
        "int: id currency terms parent receivablesaccount defaultbillingaddress "
        "defaultshippingaddress salesrep category pricelevel entitystatus;"
        "text: entityid entitytitle companyname altname firstname middlename lastname email phone "
        "mobilephone homephone altphone fax url comments isperson isinactive externalid "
        "accountnumber vatregnumber salutation title language searchstage fullname;"
        "number: balancesearch overduebalancesearch consolbalancesearch creditlimit "
        "unbilledorderssearch daysoverduesearch;"
        "date: datecreated lastmodifieddate startdate enddate dateclosed firstsaledate"
    ),
    "contact": (
        "int: id company subsidiary;"
        "text: entityid entitytitle firstname middlename lastname email phone mobilephone "
        "officephone homephone fax title salutation comments isinactive isprivate externalid;"
        "date: datecreated lastmodifieddate"
    ),
    "entity": (
        "int: id parent;"
        "text: entityid entitytitle altname firstname lastname email phone type isinactive "
        "isperson externalid fax title;"
        "date: datecreated lastmodifieddate"
    ),
    "item": (
        "int: id parent incomeaccount expenseaccount assetaccount deferralaccount class "
        "department location;"
        "text: itemid displayname fullname description salesdescription itemtype subtype "
        "isinactive externalid upccode isonline includechildren;"
        "number: cost averagecost;"
        "date: createddate lastmodifieddate"
    ),
    "pricing": (
        "int: item pricelevel customer;number: unitprice quantity;int: currency;text: pricename"
    ),
    "currency": (
        "int: id currencyprecision;"
        "text: name symbol displaysymbol isbasecurrency isinactive externalid symbolplacement;"
        "number: exchangerate;"
        "date: lastmodifieddate"
    ),
    "subsidiary": (
        "int: id parent currency fiscalcalendar mainaddress;"
        "text: name fullname legalname email country state isinactive iselimination url "
        "externalid tranprefix;"
        "date: lastmodifieddate"
    ),
    "account": (
        "int: id parent currency;"
        "text: acctnumber accountsearchdisplayname accountsearchdisplaynamecopy "
        "displaynamewithhierarchy fullname accttype description isinactive issummary eliminate "
        "externalid subsidiary sspecacct inventory includechildren;"
        "date: lastmodifieddate"
    ),
    "term": (
        "int: id daysuntilnetdue daysuntilexpiry;"
        "text: name isinactive preferred datedriven externalid;"
        "number: discountpercent;"
        "date: lastmodifieddate"
    ),
    "accountingperiod": (
        "int: id parent;"
        "text: periodname closed arlocked aplocked alllocked allownonglchanges isadjust isinactive "
        "isposting isquarter isyear;"
        "date: startdate enddate closedondate lastmodifieddate"
    ),
    "deletedrecord": (
        "int: recordid recordtypeid deletedby;"
        "text: type name scriptid context iscustomlist iscustomrecord iscustomtransaction;"
        "date: deleteddate"
    ),
    "customersubsidiaryrelationship": (
        "int: id entity subsidiary primarycurrency;"
        "text: isprimarysub isinactive name externalid;"
        "number: balance overduebalance depositbalance;"
        "date: lastmodifieddate"
    ),
    "customeraddressbook": (
        "int: entity internalid addressbookaddress;"
        "text: defaultbilling defaultshipping isresidential label"
    ),
    "entityaddress": (
        "int: nkey recordowner;"
        "text: addressee attention addr1 addr2 addr3 addrphone addrtext city state zip country;"
        "date: lastmodifieddate"
    ),
    # Lists that any account has and clients join to; empty here.
    **dict.fromkeys(
        ("department", "classification", "location"),
        "int: id parent;text: name fullname isinactive externalid subsidiary includechildren;"
        "date: lastmodifieddate",
    ),
    **dict.fromkeys(
        ("vendor", "employee"),
        "int: id currency subsidiary terms supervisor department class location;"
        "text: entityid entitytitle altname companyname firstname lastname email phone isperson "
        "isinactive externalid title;"
        "date: datecreated lastmodifieddate",
    ),
    "consolidatedexchangerate": (
        "int: id accountingbook fromcurrency tocurrency fromsubsidiary tosubsidiary postingperiod;"
        "number: averagerate currentrate historicalrate;"
        "text: isperiodclosed iseliminationsubsidiary"
    ),
    "accountingbook": "int: id;text: name isprimary externalid;date: lastmodifieddate",
    "dual": "text: dummy",
    **unused.TABLES,
}
_TABLES["nexttransactionlinelink"] = _TABLES["previoustransactionlinelink"]
_TABLES["customeraddressbookentityaddress"] = _TABLES["entityaddress"]

# The key that a record's rows are found and replaced by.
KEYS = {
    "transactionline": "transaction",
    "transactionaccountingline": "transaction",
    "previoustransactionlinelink": "nextdoc",
    "nexttransactionlinelink": "nextdoc",
    "pricing": "item",
    "customersubsidiaryrelationship": "entity",
    "customeraddressbook": "entity",
    "entityaddress": "recordowner",
    "customeraddressbookentityaddress": "recordowner",
    "deletedrecord": "recordid",
}

# Names as SuiteQL writes them in its error texts.
SPELLING = {
    "transactionline": "transactionLine",
    "transactionaccountingline": ("transactionAccountingLine"),
}


def columns() -> dict[str, dict[str, str]]:
    """Table -> column -> kind, afresh, for an account to add its custom fields to."""
    found: dict[str, dict[str, str]] = {}
    for table, text in _TABLES.items():
        found[table] = {}
        for clause in text.split(";"):
            kind, _, names = clause.strip().partition(": ")
            found[table] |= dict.fromkeys(names.split(), kind)
    return found


CUSTOM_TABLES = {
    "custbody": ("transaction",),
    "custcol": ("transactionline",),
    "custentity": ("customer", "contact", "entity"),
    "custitem": ("item",),
}
