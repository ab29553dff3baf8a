//! Table tests of the filter language on one invented row.

use std::borrow::Cow;

use super::*;

struct Row;

const SCHEMA: Schema = Schema {
    entity: "Thing",
    filterable: &[
        Property { name: "id", kind: Kind::Text },
        Property { name: "computerDnsName", kind: Kind::Text },
        Property { name: "nothing", kind: Kind::Text },
        Property { name: "health", kind: Kind::Enum(&["Active", "Inactive", "Unknown"]) },
        Property { name: "group", kind: Kind::Number },
        Property { name: "joined", kind: Kind::Bool },
        Property { name: "lastSeen", kind: Kind::Time },
        Property { name: "machineTags", kind: Kind::Texts },
        Property { name: "evidence", kind: Kind::Objects },
    ],
    others: &["rbacGroupName"],
};

impl Record for Row {
    fn get(&self, property: &str) -> Value<'_> {
        match property {
            "id" => Value::text("7b3b1e0a-55aa-4b0c-9a52-0d7f3b1f9c10"),
            "computerDnsName" => Value::text("o'neil.example"),
            "health" => Value::text("Active"),
            "group" => Value::Number(12.0),
            "joined" => Value::Bool(true),
            "lastSeen" => Value::Time("2026-03-02T21:40:05.684607Z".parse().unwrap()),
            "machineTags" => Value::Texts(vec![Cow::Borrowed("ir-7781"), Cow::Borrowed("a(b),c")]),
            "evidence" => Value::Objects(vec![
                serde_json::json!({"@odata.type": "#microsoft.graph.security.userEvidence",
                    "userAccount": {"userPrincipalName": "anna@contoso.example"}}),
                serde_json::json!({"@odata.type": "#microsoft.graph.security.deviceEvidence",
                    "deviceDnsName": "pc1.contoso.example", "rbacGroupId": 3,
                    "firstSeenDateTime": "2026-01-02T00:00:00Z"}),
            ]),
            _ => Value::Null,
        }
    }
}

#[test]
fn filters_that_match_and_filters_that_do_not() {
    for (filter, expected) in [
        ("id eq '7b3b1e0a-55aa-4b0c-9a52-0d7f3b1f9c10'", true),
        ("ID eq 7b3b1e0a-55aa-4b0c-9a52-0d7f3b1f9c10", true),
        ("'7b3b1e0a-55aa-4b0c-9a52-0d7f3b1f9c10' eq id", true),
        ("computerdnsname eq 'o''neil.example'", true),
        ("computerDnsName eq 'O''NEIL.example'", false),
        ("computerDnsName ne 'x' and group eq 12", true),
        ("startswith(computerDnsName,'o''n')", true),
        ("startswith(computerDnsName,'x') eq false", true),
        ("endswith(computerDnsName, '.example') and contains(computerDnsName,'neil')", true),
        ("not startswith(computerDnsName,'o')", false),
        ("health eq 'active'", true),
        ("health eq 'Active' or group eq 99", true),
        ("health in ('Inactive','Unknown')", false),
        ("group in (1, 12)", true),
        ("not (group gt 11 and group lt 13)", false),
        ("11 lt group", true),
        ("group ge 12 and group le 12L", true),
        ("joined", true),
        ("joined eq true and not (joined eq false)", true),
        ("lastSeen gt 2026-01-01Z", true),
        ("lastSeen gt 2026-03-03", false),
        ("lastSeen ge 2026-03-02T21:40:05.684607Z", true),
        ("lastSeen lt 2026-03-02T21:40:05.684607Z", false),
        ("lastSeen le 2026-03-02T21:40:05.6846071Z", true),
        ("nothing eq null", true),
        ("nothing ne 'x'", true),
        ("nothing eq 'x'", false),
        ("group ne null", true),
        ("startswith(nothing,'')", false),
        ("machineTags/any(t: t eq 'ir-7781')", true),
        ("machineTags/any(t: startswith(t,'a(b'))", true),
        ("machineTags/any(t:t eq 'IR-7781')", false),
        ("machineTags/all(t: contains(t,'-'))", false),
        ("machineTags/any()", true),
        ("group eq 1 or group eq 2 or group eq 12", true),
        ("group eq 1 and group eq 2 or group eq 12", true),
        ("group eq 1 and (group eq 2 or group eq 12)", false),
        (
            "evidence/any(e: e/microsoft.graph.security.deviceEvidence/deviceDnsName eq 'pc1.contoso.example')",
            true,
        ),
        (
            "evidence/any(e: e/microsoft.graph.security.userEvidence/deviceDnsName eq 'pc1.contoso.example')",
            false,
        ),
        (
            "evidence/any(e: e/microsoft.graph.security.userEvidence/userAccount/userPrincipalName eq 'anna@contoso.example')",
            true,
        ),
        ("evidence/any(e: e/rbacGroupId eq 3 and e/firstSeenDateTime gt 2026-01-01Z)", true),
    ] {
        let parsed = Filter::parse(filter, &SCHEMA).unwrap_or_else(|e| panic!("{filter}: {e}"));
        assert_eq!(parsed.matches(&Row), expected, "{filter}");
    }
}

#[test]
fn what_the_odata_layer_refuses_and_how() {
    for (filter, says) in [
        ("", "Syntax error at position 0"),
        ("group eq", "Syntax error at position 8"),
        ("group = 12", "character '=' is not valid"),
        ("group eq 12 group", "Syntax error at position 12"),
        ("(group eq 12", "Syntax error"),
        ("group eq 'a", "unterminated string literal"),
        ("group eq 12abc", "Unrecognized literal '12abc'"),
        ("rbacGroupName eq 'x'", "The property 'rbacGroupName' cannot be used"),
        ("colour eq 'x'", "Could not find a property named 'colour' on type 'Thing'"),
        (
            "lastSeen gt '2026-01-01'",
            "'Edm.DateTimeOffset' and 'Edm.String' for operator kind 'GreaterThan'",
        ),
        ("group eq '12'", "incompatible types"),
        ("id eq 12", "incompatible types"),
        ("health eq 'Sleepy'", "The string 'Sleepy' is not a valid enumeration"),
        ("startswith(group,'1')", "No function signature"),
        ("machineTags eq 'x'", "Syntax error"),
        ("health", "Syntax error"),
        ("in ('a')", "Could not find a property named 'in'"),
    ] {
        let error = Filter::parse(filter, &SCHEMA).unwrap_err().0;
        assert!(error.contains(says), "{filter}: {error}");
    }
    let deep = format!("{}group eq 1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(Filter::parse(&deep, &SCHEMA).is_err());
    let wide = vec!["group eq 1"; 3_000].join(" or ");
    assert!(Filter::parse(&wide, &SCHEMA).is_ok());
}

#[test]
fn a_required_value_is_found_at_the_top_level_only() {
    let required = |filter: &str| {
        let filter = Filter::parse(filter, &SCHEMA).unwrap();
        filter.required("id").map(str::to_owned)
    };
    assert_eq!(required("group eq 1 and id eq 'a'").as_deref(), Some("a"));
    assert_eq!(required("group eq 1 or id eq 'a'"), None);
    assert_eq!(required("id ne 'a'"), None);
}
