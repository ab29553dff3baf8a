//! An audit as Markdown, for a ticket or a job's summary; at most 60,000 bytes.

use crate::report::audit::Audit;
use crate::report::audit::text::{
    causes, counts, evidence, exemption, groups, lease, short, values, verdict,
};
use crate::report::{escape, measure, reason};

/// Most bytes of one comment: GitHub refuses 65,536 characters.
const LIMIT: usize = 60_000;

/// The audit as GitHub-flavoured Markdown.
#[must_use]
pub fn markdown(audit: &Audit) -> String {
    let workspace = escape::code_span(&audit.workspace);
    let mut out = format!("### Palisade audit {workspace}: {}\n\n", verdict(audit));
    out.push_str(&format!("At {}. {}\n\n", measure::instant(audit.at), counts(audit)));
    for tenant in audit.tenants.iter().filter(|tenant| !tenant.complete) {
        let missing = escape::markdown(&tenant.missing.join("; "));
        let name = escape::markdown(&tenant.name);
        out.push_str(&format!("**INCOMPLETE** {name}: {missing}\n\n"));
    }
    policies(&mut out, audit);
    deviations(&mut out, audit);
    let mut list = |title: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            out.push_str(&format!("**{title}**\n\n"));
            rows.iter().for_each(|row| out.push_str(&format!("- {}\n", escape::markdown(row))));
            out.push('\n');
        }
    };
    list("Leases that end within 24 h", audit.ending.iter().map(lease).collect());
    list("Leases that an edit moved", audit.leases.iter().map(lease).collect());
    list("Exemptions", audit.exemptions.iter().map(|row| exemption(audit, row)).collect());
    cut(out.replace(measure::NO_BREAK, " "))
}

fn policies(out: &mut String, audit: &Audit) {
    if audit.policies.is_empty() {
        return;
    }
    out.push_str(
        "| policy | aspect | tenant | as intended | deviating |\n|---|---|---|---:|---|\n",
    );
    for policy in &audit.policies {
        let row = &policy.policy;
        let share = if row.audit {
            format!("audit only, would act on {}", measure::of(policy.would_do, row.selected))
        } else {
            measure::of(policy.as_intended, row.selected)
        };
        out.push_str(&format!(
            "| {} {} | {} | {} | {share} | {} |\n",
            escape::markdown(&row.name),
            escape::code_span(&format!("{}:{}", row.file, row.line)),
            reason::facet(row.facet),
            escape::markdown(&row.tenant),
            causes(&policy.deviating).join(" · "),
        ));
    }
    out.push('\n');
}

fn deviations(out: &mut String, audit: &Audit) {
    for group in groups(audit) {
        let Some(first) = group.first() else { continue };
        let count = measure::count(group.len());
        let mut head = vec![
            format!("**{} {count}**", first.cause.word()),
            reason::facet(first.facet).to_owned(),
            escape::markdown(&first.tenant),
        ];
        let short = short(first);
        if !short.is_empty() {
            head.push(escape::markdown(&short));
        }
        out.push_str(&format!("{}\n\n", head.join(" · ")));
        for deviation in group {
            let target = &deviation.target;
            let name = if target.name.is_empty() { &target.id } else { &target.name };
            let evidence = evidence(&deviation.evidence);
            let evidence = evidence.map(|text| format!(" · {}", escape::markdown(&text)));
            out.push_str(&format!(
                "- {} · {}{}\n",
                escape::code_span(name),
                escape::markdown(&values(deviation)),
                evidence.unwrap_or_default()
            ));
        }
        out.push('\n');
    }
}

/// Whole lines within the limit.
fn cut(mut out: String) -> String {
    const NOTICE: &str = "\n_Cut here; `palisade audit --format json` has everything._\n";
    if out.len() <= LIMIT {
        return out;
    }
    let mut end = LIMIT - NOTICE.len();
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    let end = out.get(..end).and_then(|kept| kept.rfind('\n')).map_or(0, |at| at + 1);
    out.truncate(end);
    out.push_str(NOTICE);
    out
}
