//! An audit as JUnit XML: one test case for each policy and tenant, one for what no policy intends.
//!
//! A case fails when one of its targets deviates; what an exemption allows fails nothing.

use crate::report::audit::text::{evidence, short, values};
use crate::report::audit::{Audit, Deviation};
use crate::report::{escape, measure};

/// The audit as JUnit XML.
#[must_use]
pub fn junit(audit: &Audit) -> String {
    let mut cases = Vec::new();
    for policy in &audit.policies {
        let row = &policy.policy;
        let own = audit.deviations.iter().filter(|deviation| deviation.concerns(row));
        let class = format!("{}.{}", row.tenant, row.kind);
        cases.push(Case::of(class, row.name.clone(), own));
    }
    for tenant in &audit.tenants {
        let nobody = audit.deviations.iter().filter(|deviation| {
            let mut policies = audit.policies.iter();
            deviation.tenant == tenant.name
                && !policies.any(|policy| deviation.concerns(&policy.policy))
        });
        let class = tenant.name.clone();
        cases.push(Case::of(class.clone(), "posture that no policy intends".to_owned(), nobody));
        let missing: Vec<String> = tenant.missing.clone();
        cases.push(Case { class, name: "complete observation".to_owned(), failures: missing });
    }
    let failed = cases.iter().filter(|case| !case.failures.is_empty()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<testsuite name=\"palisade audit {}\" tests=\"{}\" failures=\"{failed}\" timestamp=\"{}\">\n",
        xml(&audit.workspace),
        cases.len(),
        audit.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ));
    cases.iter().for_each(|case| out.push_str(&case.xml()));
    out.push_str("</testsuite>\n");
    out
}

struct Case {
    class: String,
    name: String,
    failures: Vec<String>,
}

impl Case {
    fn of<'a>(class: String, name: String, own: impl Iterator<Item = &'a Deviation>) -> Self {
        let failures = own.filter(|deviation| deviation.cause.is_fault()).map(line).collect();
        Self { class, name, failures }
    }

    fn xml(&self) -> String {
        let head =
            format!("  <testcase classname=\"{}\" name=\"{}\"", xml(&self.class), xml(&self.name));
        if self.failures.is_empty() {
            return format!("{head}/>\n");
        }
        let count = self.failures.len();
        let text = xml(&self.failures.join("\n"));
        format!(
            "{head}>\n    <failure message=\"{count} deviating\">{text}</failure>\n  </testcase>\n"
        )
    }
}

fn line(deviation: &Deviation) -> String {
    let target = &deviation.target;
    let name = if target.name.is_empty() { &target.id } else { &target.name };
    let mut parts = vec![
        format!("{} {}", deviation.cause.word(), escape::name(name, 120)),
        values(deviation),
        short(deviation),
    ];
    parts.extend(evidence(&deviation.evidence));
    parts.retain(|part| !part.is_empty());
    parts.join("; ").replace(measure::NO_BREAK, " ")
}

/// Text inside an element or attribute; characters that XML cannot carry are spelled out first.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            c if c.is_control() || escape::is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}
