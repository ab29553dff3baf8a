//! Loading as a whole: the starter pack, the digest, the workspace, one finding for one mistake.

use std::path::Path;
use std::sync::Arc;

use crate::policy::{SourceText, Workspace, load, load_workspace};

fn now() -> jiff::Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn starter() -> Vec<SourceText> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in std::fs::read_dir(root.join("policies")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let file = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            let text = std::fs::read_to_string(&path).unwrap();
            files.push(SourceText { file: file.into(), text: text.into() });
        }
    }
    files
}

#[test]
fn the_starter_pack_has_no_findings() {
    let loaded = load(None, &starter(), now());
    let shown: Vec<String> = loaded
        .findings
        .iter()
        .map(|f| format!("{}:{} {}", f.file, f.span.line, f.message))
        .collect();
    assert!(shown.is_empty(), "{shown:#?}");
    assert_eq!(loaded.documents, 10);
    let set = loaded.set.unwrap();
    assert_eq!((set.isolation.len(), set.alert_rules.len(), set.exemptions.len()), (2, 3, 2));
}

#[test]
fn the_digest_is_of_content_and_not_of_order_or_form() {
    let mut files = starter();
    let digest = load(None, &files, now()).set.unwrap().digest;
    files.reverse();
    for file in &mut files {
        let text: String = format!("# a comment\n\n{}", file.text);
        file.text = Arc::from(text);
    }
    assert_eq!(load(None, &files, now()).set.unwrap().digest, digest);
    let first = files.iter_mut().find(|file| file.text.contains("lease: 72h")).unwrap();
    first.text = Arc::from(first.text.replace("lease: 72h", "lease: 73h"));
    assert_ne!(load(None, &files, now()).set.unwrap().digest, digest);
}

fn workspace(guardrails: &str, folder: &str) -> Workspace {
    let text = format!(
        "apiVersion: palisade/v1\nkind: Workspace\nid: soc\ntenants: [{{name: c, tenantId: \
         11111111-2222-3333-4444-555555555555}}]\nguardrails: {guardrails}\n"
    );
    let file = SourceText { file: "palisade.yaml".into(), text: text.into() };
    let (workspace, findings) = load_workspace(&file, Path::new(folder));
    assert_eq!(findings, Vec::new(), "{guardrails}");
    workspace.unwrap()
}

#[test]
fn the_digest_covers_the_workspace_file_wherever_it_lies() {
    let of = |guardrails: &str, folder: &str| {
        let workspace = workspace(guardrails, folder);
        (load(Some(&workspace), &starter(), now()).set.unwrap(), workspace)
    };
    let (before, here) = of("{protected: {value: high}}", ".");
    assert_eq!(of("{ protected: { 'value': high } } # said", "/elsewhere").0.digest, before.digest);
    let wider = of("{protected: {value: [high, normal]}}", ".").0;
    assert_ne!(wider.digest, before.digest);
    assert_ne!(of("{protected: {value: high}, dwell: 2h}", ".").0.digest, before.digest);
    // Each file has a digest of its own: the one that was edited can be named.
    let differ = |set: &crate::policy::PolicySet| -> Vec<String> {
        let moved =
            set.files.iter().filter(|(file, digest)| before.files.get(*file) != Some(digest));
        moved.map(|(file, _)| file.to_string()).collect()
    };
    assert_eq!((differ(&wider), before.files.len()), (vec!["palisade.yaml".to_owned()], 11));
    // What is done without policies rests on the workspace alone.
    let none = crate::policy::PolicySet::none(&here);
    assert_eq!(none.digest, load(Some(&here), &[], now()).set.unwrap().digest);
    assert_eq!(none.files.len(), 1);
}

#[test]
fn the_workspace_of_the_design_is_read() {
    let text = "\
apiVersion: palisade/v1
kind: Workspace
id: contoso-soc
policies: [policies]
tenants:
  - name: contoso
    tenantId: 11111111-2222-3333-4444-555555555555
    cloud: commercial
    endpoints:
      authority: http://127.0.0.1:8400
      defender: http://127.0.0.1:8400
    credential: clientSecret
guardrails:
  protected: {any: [{tag: [domain-controller, hypervisor]}, {value: high}]}
  caps:
    isolate: {run: 50, group: 5%, rolling: {count: 100, window: 24h}}
";
    let file = SourceText { file: "palisade.yaml".into(), text: text.into() };
    let (workspace, findings) = load_workspace(&file, Path::new("."));
    assert_eq!(findings, Vec::new());
    let workspace = workspace.unwrap();
    let endpoints = &workspace.tenants[0].endpoints;
    assert_eq!(endpoints.defender.as_str(), "http://127.0.0.1:8400/");
    assert_eq!(endpoints.graph.as_str(), "https://graph.microsoft.com/");
    assert!(workspace.guardrails.protected.is_some());
    let caps = workspace.guardrails.caps[&crate::model::Verb::Isolate];
    assert_eq!(caps.group.unwrap().of(100), 5);
    assert_eq!(caps.rolling.unwrap().count, 100);
}

#[test]
fn limits_of_the_workspace_are_read_and_keep_their_defaults_where_nothing_is_written() {
    use crate::model::{Span, Verb};
    use crate::policy::workspace::{Guardrails, Limit, Rolling};
    let read = |guardrails: &str| workspace(guardrails, ".").guardrails;
    let rolling = |rails: &Guardrails| rails.caps[&Verb::Isolate].alert_rule;
    let rails = read("{requireLease: true}");
    let default = Rolling { count: 20, window: Span::from_hours(24) };
    assert_eq!(rolling(&rails), Some(default));
    assert_eq!((rails.remaining.least.of(100), rails.remaining.groups_from), (25, 5));
    assert_eq!((rails.dwell, rails.cooldown), (Span::from_hours(1), Span::from_secs(1_800)));
    let allowed = |rails: &Guardrails, of: u32| {
        [rails.shrink.inventory, rails.shrink.selection].map(|limit| limit.map(|it| it.of(of)))
    };
    assert_eq!(
        (allowed(&rails, 1_000), allowed(&rails, 3)),
        ([Some(200), Some(500)], [Some(10), Some(25)])
    );

    let rails = read(
        "{caps: {isolate: {alertRule: {count: 5, window: 2h}}}, remaining: {least: 3}, dwell: 0s, \
         cooldown: 1d, shrink: {inventory: unlimited, selection: 10%}}",
    );
    assert_eq!(rolling(&rails), Some(Rolling { count: 5, window: Span::from_hours(2) }));
    assert_eq!((rails.remaining.least, rails.remaining.groups_from), (Limit::Count(3), 5));
    assert_eq!((rails.dwell, rails.cooldown), (Span::from_secs(0), Span::from_days(1)));
    assert_eq!(allowed(&rails, 1_000), [None, Some(100)]);
    let rails = read("{caps: {isolate: {alertRule: unlimited}}, remaining: {least: unlimited}}");
    assert_eq!((rolling(&rails), rails.remaining.least), (None, Limit::Count(0)));
    assert_eq!(rails.caps[&Verb::Isolate].run, Some(Limit::Count(50)));
}

#[test]
fn one_mistake_is_one_finding() {
    for (text, code) in [
        ("devices: {all: true}", "everything-shorthand"),
        ("devices: {}", "empty-selector"),
        ("devices:", "empty-selector"),
        ("devices: {tag: []}", "empty-list"),
        ("devices: {os: \">=windows\"}", "not-ordered"),
        ("devices: {risk: hihg}", "unknown-value"),
        ("devices: {tga: x}", "unknown-key"),
        ("devices: {ip: 10.1.2.3/8}", "bad-cidr"),
        ("devices: {seen: 7d}", "bad-duration"),
        ("devices: {tag: x, tag: y}", "duplicate-key"),
        ("devices: {os: windows, all: [{os: linux}]}", "contradiction"),
        ("devices: {tag: no}", "ambiguous-word"),
    ] {
        let text = format!(
            "apiVersion: palisade/v1\nkind: IsolationSet\nmetadata: {{name: a}}\nspec:\n  {text}\n  lease: 3d\n  comment: c\n"
        );
        let file = SourceText { file: "a.yaml".into(), text: text.as_str().into() };
        let loaded = load(None, &[file], now());
        let codes: Vec<&str> = loaded.findings.iter().map(|finding| finding.code.word()).collect();
        assert_eq!(codes, [code], "{text}{:#?}", loaded.findings);
        assert!(loaded.set.is_none());
    }
}

#[test]
fn a_huge_file_is_refused_without_being_parsed() {
    let text = "a: ".to_owned() + &"x".repeat(crate::policy::FILE_MAX);
    let file = SourceText { file: "a.yaml".into(), text: text.into() };
    let loaded = load(None, &[file], now());
    assert_eq!(loaded.findings.len(), 1);
    assert_eq!(loaded.findings[0].code.word(), "file-too-large");
}

#[test]
fn rules_of_the_organization_are_part_of_the_digest_and_of_what_is_checked() {
    let rule = |text: &str| SourceText { file: "guardrails/own.rego".into(), text: text.into() };
    let with = |text: &str| {
        let files: Vec<SourceText> = starter().into_iter().chain([rule(text)]).collect();
        load(None, &files, now())
    };
    let none = load(None, &starter(), now()).set.unwrap();
    let one = with("package own\ndeny contains \"m\"\n").set.unwrap();
    let other = with("package own\ndeny contains \"n\"\n").set.unwrap();
    assert_eq!((none.rules.len(), one.rules.len()), (0, 1));
    assert!(none.digest != one.digest && one.digest != other.digest);
    let broken = with("package own\ndeny contains\n");
    let codes: Vec<&str> = broken.findings.iter().map(|finding| finding.code.word()).collect();
    assert!(broken.set.is_none() && codes == ["rego-invalid"], "{:?}", broken.findings);
}
