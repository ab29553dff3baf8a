//! Path patterns: `*` for anything within a segment, `**` for anything at all, letters of any case.
//!
//! Used by rate windows and scripted faults. A leading slash counts for nothing on either side.

/// Whether a path matches a pattern. Takes time in proportion to the product of their lengths.
#[must_use]
pub fn matches(pattern: &str, path: &str) -> bool {
    let path = path.trim_start_matches('/').as_bytes();
    // Which prefixes of the path the pattern read so far can match; the empty one at first.
    let mut reach = vec![false; path.len() + 1];
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    let mut rest = pattern.trim_start_matches('/').as_bytes();
    while let Some((want, after)) = rest.split_first() {
        let star = *want == b'*';
        let across = star && after.first() == Some(&b'*');
        rest = if across { after.get(1..).unwrap_or_default() } else { after };
        let mut next = vec![false; reach.len()];
        let mut open = false;
        for (index, slot) in next.iter_mut().enumerate() {
            let before = index.checked_sub(1).and_then(|index| path.get(index));
            *slot = if star {
                // A star goes on over this byte, or begins here with nothing.
                open = open && before.is_some_and(|byte| across || *byte != b'/');
                open = open || reach.get(index) == Some(&true);
                open
            } else {
                let came = index.checked_sub(1).and_then(|index| reach.get(index));
                came == Some(&true) && before.is_some_and(|byte| byte.eq_ignore_ascii_case(want))
            };
        }
        reach = next;
    }
    reach.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_within_and_across_segments() {
        for (pattern, path, expected) in [
            ("/api/machines", "/api/machines", true),
            ("/api/Machines", "/API/machines", true),
            ("/api/machines", "/api/machines/1", false),
            ("/api/machines/*/isolate", "/api/machines/e1/isolate", true),
            ("/api/machines/*/isolate", "/api/machines/e1/x/isolate", false),
            ("/api/machines/*/isolate", "/api/machines/e1/unisolate", false),
            ("/api/machines/*/*isolate", "/api/machines/e1/unisolate", true),
            ("/api/**", "/api/machines/1/x", true),
            ("**", "/", true),
            ("**/isolate", "/api/machines/1/isolate", true),
            ("/api/**/c*e", "/api/a/b/ce/d/cde", true),
            ("/api/**/c*e", "/api/a/b/ce/d/cdx", false),
            ("api/machines/findbyip(*", "/api/machines/findbyip(ip='1.2.3.4')", true),
            ("/a*b*c", "/axxbyyc", true),
            ("/a*b*c", "/axxbyy", false),
            ("", "", true),
            ("", "/x", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} on {path}");
        }
    }
}
