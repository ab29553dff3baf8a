//! Where in a file mutants can be switched: the expressions around what the list points at.
//!
//! The list points at an operator, an arm or a field; to switch it at run time the whole expression
//! around it is needed, which only the syntax tree knows. Called by `weave`.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::Result;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::list::{Genre, Position};

type Bytes = Range<usize>;

/// What surrounds a place that a mutant changes.
#[derive(Clone, Debug)]
pub enum Site {
    Binary { whole: Bytes, left: Bytes, right: Bytes },
    Unary { whole: Bytes, inner: Bytes },
    Guard { whole: Bytes },
    Arm { pattern_end: usize, guard: Option<Bytes> },
    Field { name: String, value: Option<Bytes>, end: usize, base: Bytes },
}

/// Sites by genre and by the position that the list gives.
pub type Sites = HashMap<(Genre, Position), Site>;

/// All sites of a file, and where each line starts.
///
/// # Errors
/// When the file is no Rust.
pub fn find(text: &str) -> Result<Sites> {
    let file = syn::parse_file(text)?;
    let mut finder = Finder { sites: Sites::new() };
    finder.visit_file(&file);
    Ok(finder.sites)
}

struct Finder {
    sites: Sites,
}

impl Finder {
    fn put(&mut self, genre: Genre, at: proc_macro2::Span, site: Site) {
        let start = at.start();
        let position = Position { line: start.line, column: start.column + 1 };
        self.sites.insert((genre, position), site);
    }
}

fn bytes(part: &impl Spanned) -> Bytes {
    part.span().byte_range()
}

/// Whether a chain of `&&` binds something: it cannot be split.
fn binds(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(both) => binds(&both.left) || binds(&both.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        if !binds(&node.left) && !binds(&node.right) {
            let (whole, left, right) = (bytes(node), bytes(&node.left), bytes(&node.right));
            self.put(Genre::BinaryOperator, node.op.span(), Site::Binary { whole, left, right });
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'ast syn::ExprUnary) {
        let site = Site::Unary { whole: bytes(node), inner: bytes(&node.expr) };
        self.put(Genre::UnaryOperator, node.op.span(), site);
        visit::visit_expr_unary(self, node);
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        let guard = node.guard.as_ref().map(|(_, guard)| guard).filter(|guard| !binds(guard));
        if let Some(guard) = guard {
            self.put(Genre::MatchArmGuard, guard.span(), Site::Guard { whole: bytes(&**guard) });
        }
        if guard.is_some() || node.guard.is_none() {
            let site = Site::Arm {
                pattern_end: bytes(&node.pat).end,
                guard: guard.map(|guard| bytes(&**guard)),
            };
            self.put(Genre::MatchArm, node.span(), site);
        }
        visit::visit_arm(self, node);
    }

    fn visit_expr_struct(&mut self, node: &'ast syn::ExprStruct) {
        if let Some(base) = &node.rest {
            for field in &node.fields {
                let syn::Member::Named(name) = &field.member else { continue };
                let value = field.colon_token.is_some().then(|| bytes(&field.expr));
                let site = Site::Field {
                    name: name.to_string(),
                    value,
                    end: bytes(name).end,
                    base: bytes(&**base),
                };
                self.put(Genre::StructField, field.span(), site);
            }
        }
        visit::visit_expr_struct(self, node);
    }
}
