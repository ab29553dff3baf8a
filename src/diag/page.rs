//! The findings' part of `docs/codes.md`, made from the table of codes.
//!
//! The page may hold other sections; only what stands between the two marks is ours.

use crate::diag::Code;

/// First line of the generated part.
pub const BEGIN: &str = "<!-- findings: generated from src/diag/code.rs -->";
/// Last line of the generated part.
pub const END: &str = "<!-- findings: end -->";

/// The generated part, marks included.
#[must_use]
pub fn findings() -> String {
    let mut out =
        format!("{BEGIN}\n\n| code | severity | what | help |\n| --- | --- | --- | --- |\n");
    for code in Code::ALL {
        let (word, severity) = (code.word(), code.severity().word());
        let (title, help) = (escape(code.title()), escape(code.help()));
        out.push_str(&format!(
            "| <a id=\"{word}\"></a>`{word}` | {severity} | {title} | {help} |\n"
        ));
    }
    out.push_str(&format!("\n{END}"));
    out
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|")
}
