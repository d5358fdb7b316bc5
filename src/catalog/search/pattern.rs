//! What a user types to find a name.
//!
//! A plain text is found anywhere in a name, whatever the case. With `*` (any characters) or `?` (one) it is a pattern for
//! the whole name. With a slash, what stands before the last one is matched against the end of the path above the name,
//! and a plain text after it against the name's beginning: a slash is where a name begins.

/// A text, ready to be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    name: Part,
    above: Option<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Anywhere in it.
    Holds(String),
    /// At its beginning.
    Begins(String),
    /// At its end.
    Ends(String),
    /// All of it, with `*` and `?`.
    Glob(Vec<char>),
}

impl Pattern {
    /// Reads what was typed.
    pub fn new(text: &str) -> Pattern {
        let text = fold_text(text.trim());
        let Some((above, name)) = text.rsplit_once('/') else {
            let name = if has_wildcards(&text) {
                Part::Glob(text.chars().collect())
            } else {
                Part::Holds(text)
            };
            return Pattern { name, above: None };
        };
        let above = if has_wildcards(above) {
            Part::Glob(std::iter::once('*').chain(above.chars()).collect())
        } else {
            Part::Ends(above.to_owned())
        };
        let name = if has_wildcards(name) {
            Part::Glob(name.chars().collect())
        } else {
            Part::Begins(name.to_owned())
        };
        Pattern {
            name,
            above: Some(above),
        }
    }

    /// A text that every matching name holds, to look for first; may be empty.
    pub(super) fn needle(&self) -> &str {
        match &self.name {
            Part::Holds(text) | Part::Begins(text) | Part::Ends(text) => text,
            Part::Glob(_) => "",
        }
    }

    /// How well a folded name matches, best first: the whole name, its beginning, somewhere in it. `None`: not at all.
    pub(super) fn rank(&self, name: &str) -> Option<u8> {
        let rank = match &self.name {
            Part::Glob(_) => return self.name.matches(name).then_some(0),
            Part::Holds(text) | Part::Begins(text) | Part::Ends(text) => {
                if name == text {
                    0
                } else if name.starts_with(text.as_str()) {
                    1
                } else {
                    2
                }
            }
        };
        self.name.matches(name).then_some(rank)
    }

    /// Whether the path above the name matters.
    pub(super) fn wants_path(&self) -> bool {
        self.above.is_some()
    }

    /// Whether the folded path above the name (`/etc/ssh`, empty for the root) matches.
    pub(super) fn takes_path(&self, above: &str) -> bool {
        self.above.as_ref().is_none_or(|part| part.matches(above))
    }
}

impl Part {
    fn matches(&self, text: &str) -> bool {
        match self {
            Part::Holds(part) => text.contains(part.as_str()),
            Part::Begins(part) => text.starts_with(part.as_str()),
            Part::Ends(part) => text.ends_with(part.as_str()),
            Part::Glob(glob) => matches_glob(glob, text),
        }
    }
}

fn has_wildcards(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Linear but for the last star, to which it goes back.
fn matches_glob(glob: &[char], text: &str) -> bool {
    let mut rest = text.chars();
    let (mut at, mut star) = (0, None);
    loop {
        let before = rest.clone();
        match (rest.next(), glob.get(at)) {
            (_, Some('*')) => {
                rest = before;
                at += 1;
                star = Some((at, rest.clone()));
            }
            (None, None) => return true,
            (Some(_), Some('?')) => at += 1,
            (Some(c), Some(wanted)) if c == *wanted => at += 1,
            _ => {
                let Some((after, from)) = &mut star else { return false };
                if from.next().is_none() {
                    return false;
                }
                (at, rest) = (*after, from.clone());
            }
        }
    }
}

/// A name as it is compared: lower case, without slashes (a hostile name may have one), damage replaced.
pub(super) fn fold(name: &[u8], out: &mut String) {
    if name.is_ascii() {
        out.extend(name.iter().map(|b| match b {
            b'/' => '\u{fffd}',
            b => b.to_ascii_lowercase() as char,
        }));
        return;
    }
    for c in String::from_utf8_lossy(name).chars() {
        match c {
            '/' => out.push('\u{fffd}'),
            c => out.extend(c.to_lowercase()),
        }
    }
}

fn fold_text(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(text: &str, name: &str) -> Option<u8> {
        let mut folded = String::new();
        fold(name.as_bytes(), &mut folded);
        Pattern::new(text).rank(&folded)
    }

    #[test]
    fn text_is_found_anywhere_whatever_the_case() {
        assert_eq!(rank("Invoice", "INVOICE"), Some(0));
        assert_eq!(rank("inv", "Invoice.pdf"), Some(1));
        assert_eq!(rank(" voice ", "Invoice.pdf"), Some(2));
        assert_eq!(rank("ÄRGER", "ärger.txt"), Some(1));
        assert_eq!(rank("x", "Invoice.pdf"), None);
        assert_eq!(rank("", "anything"), Some(1));
    }

    #[test]
    fn wildcards_match_the_whole_name() {
        assert_eq!(rank("*.PDF", "Invoice.pdf"), Some(0));
        assert_eq!(rank("*.pdf", "Invoice.pdf.gz"), None);
        assert_eq!(rank("inv*.p?f", "invoice.pdf"), Some(0));
        assert_eq!(rank("a*b*c", "aXbXbYc"), Some(0));
        assert_eq!(rank("a*b*c", "aXbXbY"), None);
        assert_eq!(rank("?", "ä"), Some(0));
        assert_eq!(rank("*", ""), Some(0));
    }

    #[test]
    fn what_stands_before_a_slash_is_about_the_path() {
        let takes = |text: &str, above: &str, name: &str| {
            let pattern = Pattern::new(text);
            pattern.rank(name).is_some() && pattern.takes_path(above)
        };
        assert!(takes("nginx/*.conf", "/etc/nginx", "x.conf"));
        assert!(!takes("nginx/*.conf", "/etc/nginx/d", "x.conf"));
        assert!(takes("etc/pass", "/srv/etc", "passwd"));
        assert!(!takes("etc/wd", "/etc", "passwd"));
        assert!(takes("/etc/pass", "/etc", "passwd"));
        assert!(takes("/etc/pass", "/srv/etc", "passwd"));
        assert!(!takes("/etc/pass", "/srv/xetc", "passwd"));
        assert!(takes("/pass", "", "passwd"));
        assert!(!takes("/wd", "", "passwd"));
        assert!(takes("/etc/", "/etc", "passwd"));
        assert!(takes("e*c/", "/srv/etc", "passwd"));
    }

    #[test]
    fn hostile_names_are_folded_too() {
        let mut folded = String::new();
        fold(b"A/\xffB", &mut folded);
        assert_eq!(folded, "a\u{fffd}\u{fffd}b");
    }
}
