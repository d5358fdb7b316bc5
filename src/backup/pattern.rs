//! Globs for whole paths, as restic means them.
//!
//! A pattern is a sequence of path components, each a glob (`*`, `?`, `[a-z]`, `[^a-z]`, `\` takes the next character as it
//! is; none of them crosses a `/`), or `**` for any number of components. With a leading `/` it is anchored at the root;
//! otherwise it matches any consecutive components. What lies below a match matches too. A `!` in front cancels what
//! patterns before it matched.

use super::BadPattern;

/// A list of patterns, in order.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    list: Vec<Pattern>,
    negated: bool,
}

/// One pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    parts: Vec<Part>,
    negated: bool,
    ignore_case: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// `**`: any number of components.
    Any,
    /// One component.
    Name(Glob),
}

/// A glob for one component.
#[derive(Debug, Clone, PartialEq)]
enum Glob {
    Literal(Vec<u8>),
    Tokens(Vec<Token>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Literal(char),
    One,
    Many,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Patterns {
    /// Appends a pattern. `!` in front negates it; case is ignored if told so.
    pub fn push(&mut self, pattern: &str, ignore_case: bool) -> Result<(), BadPattern> {
        let pattern = Pattern::new(pattern, ignore_case)?;
        self.negated |= pattern.negated;
        self.list.push(pattern);
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether a path is matched: by itself, or because a folder above it is. `components` are those of its absolute path.
    pub fn matches(&self, components: &[&[u8]]) -> bool {
        self.evaluate(|pattern| pattern.matches(components))
    }

    /// The same for a path of which all folders above are known not to match: cheaper.
    pub fn matches_below_unmatched(&self, components: &[&[u8]]) -> bool {
        if self.negated {
            // A negated pattern may match a folder above, and cancel a match of the entry itself.
            return self.matches(components);
        }
        self.list.iter().any(|pattern| pattern.matches_to_the_end(components))
    }

    fn evaluate(&self, matches: impl Fn(&Pattern) -> bool) -> bool {
        if !self.negated {
            return self.list.iter().any(matches);
        }
        let mut matched = false;
        for pattern in &self.list {
            // Only a pattern that would change the answer needs a look.
            if pattern.negated == matched && matches(pattern) {
                matched = !matched;
            }
        }
        matched
    }
}

impl Pattern {
    /// Understands a pattern.
    pub fn new(text: &str, ignore_case: bool) -> Result<Pattern, BadPattern> {
        let bad = |why| BadPattern {
            pattern: text.to_owned(),
            why,
        };
        let (negated, body) = match text.strip_prefix('!') {
            Some(body) => (true, body),
            None => (false, text),
        };
        let folded;
        let body = if ignore_case {
            folded = body.to_lowercase();
            folded.as_str()
        } else {
            body
        };
        let mut parts = Vec::new();
        if !body.starts_with('/') {
            parts.push(Part::Any);
        }
        let mut named = 0;
        for component in body.split('/').filter(|component| !matches!(*component, "" | ".")) {
            match component {
                ".." => return Err(bad("`..` cannot match: paths have no such component")),
                "**" => {
                    if parts.last() != Some(&Part::Any) {
                        parts.push(Part::Any);
                    }
                }
                _ => parts.push(Part::Name(Glob::new(component).map_err(bad)?)),
            }
            named += 1;
        }
        if named == 0 && body != "/" {
            return Err(bad("it is empty"));
        }
        Ok(Pattern {
            parts,
            negated,
            ignore_case,
        })
    }

    /// Whether the path, or a folder above it, is matched.
    pub fn matches(&self, components: &[&[u8]]) -> bool {
        walk(&self.parts, components, true, &|glob, name| {
            glob.matches(name, self.ignore_case)
        })
    }

    /// Whether the path itself is matched.
    fn matches_to_the_end(&self, components: &[&[u8]]) -> bool {
        if let (Some(Part::Name(glob)), Some(name)) = (self.parts.last(), components.last()) {
            // Nearly always decides.
            if !glob.matches(name, self.ignore_case) {
                return false;
            }
            if let [Part::Any, _] = self.parts.as_slice() {
                return true;
            }
        }
        walk(&self.parts, components, false, &|glob, name| {
            glob.matches(name, self.ignore_case)
        })
    }
}

/// Matches parts against components. `open` allows components to be left over at the end. When a part fails, the last
/// `**` takes one component more and all after it is tried again: that finds a match if there is one.
fn walk(parts: &[Part], components: &[&[u8]], open: bool, matches: &dyn Fn(&Glob, &[u8]) -> bool) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut retry = None;
    loop {
        let fits = match parts.get(part) {
            Some(Part::Any) => {
                retry = Some((part + 1, at));
                part += 1;
                continue;
            }
            Some(Part::Name(glob)) => components.get(at).is_some_and(|name| matches(glob, name)),
            None if open || at == components.len() => return true,
            None => false,
        };
        if fits {
            (part, at) = (part + 1, at + 1);
        } else {
            match &mut retry {
                Some((after, from)) if *from < components.len() => {
                    *from += 1;
                    (part, at) = (*after, *from);
                }
                _ => return false,
            }
        }
    }
}

impl Glob {
    fn new(text: &str) -> Result<Glob, &'static str> {
        let mut tokens = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' => Token::Many,
                '?' => Token::One,
                '[' => Token::class(&mut chars)?,
                '\\' => Token::Literal(chars.next().ok_or("it ends in a lone backslash")?),
                c => Token::Literal(c),
            });
        }
        tokens.dedup_by(|a, b| *a == Token::Many && *b == Token::Many);
        let literal: Option<String> = tokens
            .iter()
            .map(|token| if let Token::Literal(c) = token { Some(*c) } else { None })
            .collect();
        Ok(match literal {
            Some(text) => Glob::Literal(text.into_bytes()),
            None => Glob::Tokens(tokens),
        })
    }

    fn matches(&self, name: &[u8], ignore_case: bool) -> bool {
        if ignore_case {
            let folded: Vec<u8> = match std::str::from_utf8(name) {
                Ok(name) => name.to_lowercase().into_bytes(),
                Err(_) => name.to_ascii_lowercase(),
            };
            self.matches_exactly(&folded)
        } else {
            self.matches_exactly(name)
        }
    }

    fn matches_exactly(&self, name: &[u8]) -> bool {
        let tokens = match self {
            Glob::Literal(literal) => return literal == name,
            Glob::Tokens(tokens) => tokens,
        };
        let (mut token, mut rest) = (0, name);
        let mut retry: Option<(usize, &[u8])> = None;
        loop {
            let next = first_char(rest);
            let fits = match (tokens.get(token), next) {
                (Some(Token::Many), _) => {
                    token += 1;
                    retry = Some((token, rest));
                    continue;
                }
                (None, None) => return true,
                (None, _) | (_, None) => false,
                (Some(one), Some((c, _))) => one.fits(c),
            };
            if let (true, Some((_, length))) = (fits, next) {
                (token, rest) = (token + 1, &rest[length..]);
            } else {
                match retry {
                    Some((after, from)) if !from.is_empty() => {
                        let longer = &from[first_char(from).map_or(1, |(_, length)| length)..];
                        retry = Some((after, longer));
                        (token, rest) = (after, longer);
                    }
                    _ => return false,
                }
            }
        }
    }
}

impl Token {
    /// The rest of a class, after its `[`.
    fn class(chars: &mut std::str::Chars<'_>) -> Result<Token, &'static str> {
        const OPEN: &str = "a `[` has no `]`";
        let negated = chars.as_str().starts_with('^');
        if negated {
            chars.next();
        }
        let mut ranges = Vec::new();
        let one = |chars: &mut std::str::Chars<'_>| match chars.next() {
            Some('\\') => chars.next().ok_or(OPEN),
            Some('-' | ']') => Err("a class has a `-` or `]` where a character should be; put `\\` before it"),
            Some(c) => Ok(c),
            None => Err(OPEN),
        };
        loop {
            if chars.as_str().starts_with(']') && !ranges.is_empty() {
                chars.next();
                return Ok(Token::Class { negated, ranges });
            }
            let low = one(chars)?;
            let mut high = low;
            if chars.as_str().starts_with('-') {
                chars.next();
                high = one(chars)?;
            }
            ranges.push((low, high));
        }
    }

    fn fits(&self, found: Result<char, u8>) -> bool {
        match (self, found) {
            (Token::Literal(c), Ok(found)) => *c == found,
            (Token::One, _) => true,
            (Token::Class { negated, ranges }, found) => {
                let inside = found.is_ok_and(|found| ranges.iter().any(|(low, high)| (*low..=*high).contains(&found)));
                inside != *negated
            }
            _ => false,
        }
    }
}

/// The first character and its length, or the first byte when it is not UTF-8.
fn first_char(bytes: &[u8]) -> Option<(Result<char, u8>, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii() {
        return Some((Ok(char::from(first)), 1));
    }
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(c) => Some((Ok(c), c.len_utf8())),
        None => Some((Err(first), 1)),
    }
}

/// The components of an absolute path.
pub fn components(path: &[u8]) -> Vec<&[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|component| !component.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(patterns: &[&str], path: &str) -> bool {
        let mut list = Patterns::default();
        for pattern in patterns {
            list.push(pattern, false).unwrap();
        }
        list.matches(&components(path.as_bytes()))
    }

    #[track_caller]
    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        for path in yes {
            assert!(matches(&[pattern], path), "{pattern} should match {path}");
        }
        for path in no {
            assert!(!matches(&[pattern], path), "{pattern} should not match {path}");
        }
    }

    #[test]
    fn names_match_anywhere_and_paths_where_they_say() {
        check(
            "foo",
            &["/dir1/foo/dir2/file", "/dir/foo", "/foo"],
            &["/dir/foobar", "/barfoo", "/"],
        );
        check("foo/", &["/a/foo"], &["/a/foob"]);
        check("/bin", &["/bin", "/bin/bash"], &["/usr/bin/restic"]);
        check("a/b", &["/x/a/b", "/x/a/b/c", "/a/b"], &["/a/x/b", "/a", "/b"]);
        check("/a/b", &["/a/b/c"], &["/x/a/b"]);
        check("*.c", &["/x/y.c", "/x.c/y"], &["/x/y.cc", "/x/c"]);
        check("b*ash", &["/bin/bash", "/bash", "/bxash/f"], &["/b/ash"]);
        check("/home/*", &["/home/u", "/home/u/f"], &["/home", "/x/home/u"]);
        check("/", &["/", "/a"], &[]);
        check("./a//b/.", &["/x/a/b"], &["/a/c/b"]);
    }

    #[test]
    fn two_stars_cross_folders() {
        check(
            "foo/**/bar",
            &["/dir1/foo/dir2/bar/file", "/foo/bar/file", "/tmp/foo/bar"],
            &["/bar/foo", "/foo/x/b"],
        );
        check(
            "/foo/**/*.c",
            &["/foo/x.c", "/foo/a/b/x.c"],
            &["/x/foo/x.c", "/foo/x.d"],
        );
        check("/a/**", &["/a", "/a/b"], &["/b/a"]);
        check(
            "a/**/b/**/c",
            &["/z/a/b/c", "/a/1/b/2/3/c/d", "/a/b/a/b/c"],
            &["/a/c/b"],
        );
    }

    #[test]
    fn globs_are_the_simple_ones() {
        check("?", &["/a", "/\u{e9}", "/x/b"], &["/ab"]);
        check("[a-c]x", &["/ax", "/cx"], &["/dx", "/x", "/aax"]);
        check("[^a-c]x", &["/dx", "/\u{e9}x"], &["/ax", "/x"]);
        check("[!a]", &["/!", "/a"], &["/b"]);
        check("\\*", &["/*"], &["/a"]);
        check("a[\\]\\-]b", &["/a]b", "/a-b"], &["/a\\b"]);
        check("{a,b}", &["/{a,b}"], &["/a"]);
        check("a*b*c", &["/abc", "/axxbxxbc"], &["/axxbxx", "/ac"]);
        check("*", &["/a", "/a/b"], &["/"]);
        check(".*", &["/.a", "/."], &["/a"]);
    }

    #[test]
    fn names_may_be_any_bytes() {
        let mut list = Patterns::default();
        list.push("a?*", false).unwrap();
        assert!(list.matches(&[b"a\xff"]));
        assert!(list.matches(&[b"a\xc3\xa9\xff"]));
        assert!(!list.matches(&[b"a"]));
        assert!(!list.matches(&[b"\xffa"]));
    }

    #[test]
    fn case_can_be_ignored() {
        let mut list = Patterns::default();
        list.push("*.JPG", true).unwrap();
        list.push("/\u{c9}t\u{e9}", true).unwrap();
        assert!(list.matches(&[b"x", b"a.jPg"]));
        assert!(list.matches(&["\u{e9}T\u{c9}".as_bytes()]));
        assert!(list.matches(&[b"\xff.Jpg"]));
        assert!(!list.matches(&[b"x", b"a.jpeg"]));
    }

    #[test]
    fn negation_cancels_what_came_before() {
        let home = ["/home/u/*", "!/home/u/code", "*.o"];
        assert!(matches(&home, "/home/u/music/a"));
        assert!(!matches(&home, "/home/u/code"));
        assert!(!matches(&home, "/home/u/code/a.c"));
        assert!(matches(&home, "/home/u/code/a.o"));
        assert!(!matches(&["!a"], "/a"));
        assert!(matches(&["!a", "a"], "/a"));
    }

    #[test]
    fn wrong_patterns_are_refused() {
        for (pattern, why) in [
            ("", "empty"),
            ("!", "empty"),
            ("a[", "no `]`"),
            ("a[]", "`]`"),
            ("[b-", "no `]`"),
            ("x\\", "backslash"),
            ("a/../b", "`..`"),
        ] {
            let error = Pattern::new(pattern, false).unwrap_err();
            assert!(error.to_string().contains(why), "{pattern}: {error}");
        }
    }

    /// The meaning of parts, spelled out: try every length for every `**`.
    fn slow(parts: &[Part], components: &[&[u8]], open: bool) -> bool {
        match parts.split_first() {
            None => open || components.is_empty(),
            Some((Part::Any, rest)) => (0..=components.len()).any(|skip| slow(rest, &components[skip..], open)),
            Some((Part::Name(glob), rest)) => components
                .split_first()
                .is_some_and(|(name, after)| glob.matches(name, false) && slow(rest, after, open)),
        }
    }

    proptest! {
        #[test]
        fn equals_the_slow_meaning(
            pattern in "/?(a|b|\\*|\\*\\*|a\\?)(/(a|b|\\*\\*|ab)){0,4}",
            path in prop::collection::vec("[ab]{1,2}", 0..7),
        ) {
            let pattern = Pattern::new(&pattern, false).unwrap();
            let path: Vec<&[u8]> = path.iter().map(String::as_bytes).collect();
            prop_assert_eq!(pattern.matches(&path), slow(&pattern.parts, &path, true));
            prop_assert_eq!(pattern.matches_to_the_end(&path), slow(&pattern.parts, &path, false));
            let above = (0..path.len()).any(|to| pattern.matches(&path[..to]));
            if !above {
                prop_assert_eq!(pattern.matches(&path), pattern.matches_to_the_end(&path));
            }
        }

        #[test]
        fn never_panics(pattern in any::<String>(), name in prop::collection::vec(any::<u8>(), 0..20)) {
            if let Ok(pattern) = Pattern::new(&pattern, true) {
                pattern.matches(&components(&name));
            }
        }
    }
}
