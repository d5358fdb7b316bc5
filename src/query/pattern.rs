//! Patterns for paths, tried name by name while walking down, so that whole folders can be passed over.
//!
//! A pattern is a path of globs: `*` (any characters of one name), `?` (one), `[a-z]`, `[!a-z]`, `\` before a character
//! that is meant itself, and `**` as a whole name for any number of folders (at the end: for everything below). One that
//! begins with a slash is anchored at the generation's root, any other matches at any depth: `*.conf` matches names,
//! `nginx/*.conf` names in any folder `nginx`.
//!
//! How far all patterns have matched on the way to a folder is a [`State`]. What lies in a folder depends on its tree and
//! on that state alone, which is what lets `find` remember what it learnt of a tree.

use std::collections::HashMap;

/// A text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is no pattern: {why}")]
pub struct BadPattern {
    /// The text.
    pub pattern: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// How far all patterns have matched, in the context of one [`Patterns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State(u32);

/// Several patterns; an entry matches when one of them does.
#[derive(Debug, Clone)]
pub struct Patterns {
    parts: Vec<Part>,
    ignore_case: bool,
    /// Every state met so far: the parts that may match next, ascending. The first is "nothing can match any more".
    states: Vec<Vec<u32>>,
    known: HashMap<Vec<u32>, State>,
    start: State,
    /// The part that matches whatever lies below, if all below a match matches too.
    below: Option<u32>,
    /// The name being matched, as characters.
    name: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// `**`.
    Folders,
    /// One name, exactly.
    Literal(Vec<u8>),
    /// One name.
    Glob(Vec<Token>),
    /// The end of a pattern.
    End,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Char(u32),
    Any,
    Star,
    Class { negated: bool, ranges: Vec<(u32, u32)> },
}

impl Patterns {
    /// Reads patterns; none at all match everything.
    pub fn new<T: AsRef<str>>(texts: &[T], ignore_case: bool) -> Result<Patterns, BadPattern> {
        let mut parts = Vec::new();
        let mut starts = Vec::new();
        for text in texts.iter().map(T::as_ref) {
            starts.push(parts.len() as u32);
            parse(text, ignore_case, &mut parts).map_err(|why| BadPattern {
                pattern: text.to_owned(),
                why,
            })?;
        }
        if texts.is_empty() {
            starts.push(0);
            parts.extend([Part::Folders, Part::End]);
        }
        let mut patterns = Patterns {
            parts,
            ignore_case,
            states: vec![Vec::new()],
            known: HashMap::from([(Vec::new(), State(0))]),
            start: State(0),
            below: None,
            name: Vec::new(),
        };
        let mut set = Vec::new();
        starts.iter().for_each(|part| patterns.reach(*part, &mut set));
        patterns.start = patterns.state(set);
        Ok(patterns)
    }

    /// The same patterns, but that everything below a match matches too: `net` finds a folder `net` with all that is in
    /// it, as restic's `find` does.
    pub fn and_below(mut self) -> Patterns {
        self.below = Some(self.parts.len() as u32);
        self.parts.extend([Part::Folders, Part::End]);
        self
    }

    /// The state at a generation's root.
    pub fn start(&self) -> State {
        self.start
    }

    /// The state below an entry of this name, and whether the entry itself matches.
    pub fn step(&mut self, state: State, name: &[u8]) -> (State, bool) {
        let set = std::mem::take(&mut self.states[state.0 as usize]);
        let (mut next, mut matched, mut decoded) = (Vec::new(), false, false);
        for &at in &set {
            let hit = match &self.parts[at as usize] {
                Part::Folders => {
                    self.reach(at, &mut next);
                    matched |= self.parts.get(at as usize + 1) == Some(&Part::End);
                    false
                }
                Part::Literal(literal) => literal == name,
                Part::Glob(tokens) => {
                    if !decoded {
                        decode(name, self.ignore_case, &mut self.name);
                        decoded = true;
                    }
                    glob(tokens, &self.name)
                }
                Part::End => false,
            };
            if hit {
                matched |= self.parts.get(at as usize + 1) == Some(&Part::End);
                self.reach(at + 1, &mut next);
            }
        }
        self.states[state.0 as usize] = set;
        if let Some(below) = self.below.filter(|_| matched) {
            next = vec![below];
        }
        (self.state(next), matched)
    }

    /// Whether nothing below can match any more.
    pub fn is_over(state: State) -> bool {
        state.0 == 0
    }

    /// Adds a part that may match next, and those after it if it may match nothing.
    fn reach(&self, at: u32, set: &mut Vec<u32>) {
        let mut at = at;
        loop {
            match self.parts.get(at as usize) {
                None | Some(Part::End) => return,
                Some(part) => {
                    set.push(at);
                    if *part != Part::Folders {
                        return;
                    }
                }
            }
            at += 1;
        }
    }

    fn state(&mut self, mut set: Vec<u32>) -> State {
        set.sort_unstable();
        set.dedup();
        if let Some(state) = self.known.get(&set) {
            return *state;
        }
        let state = State(self.states.len() as u32);
        self.states.push(set.clone());
        self.known.insert(set, state);
        state
    }
}

fn parse(text: &str, ignore_case: bool, parts: &mut Vec<Part>) -> Result<(), &'static str> {
    let from = parts.len();
    if !text.starts_with('/') {
        parts.push(Part::Folders);
    }
    let mut names = 0;
    for name in text.split('/').filter(|name| !name.is_empty()) {
        names += 1;
        if name == "**" {
            // Two in a row mean no more than one.
            if parts[from..].last() != Some(&Part::Folders) {
                parts.push(Part::Folders);
            }
            continue;
        }
        let tokens = tokens(name, ignore_case)?;
        let chars: Option<Vec<u32>> = tokens
            .iter()
            .map(|token| if let Token::Char(c) = token { Some(*c) } else { None })
            .collect();
        parts.push(match chars {
            Some(chars) if !ignore_case => Part::Literal(
                chars
                    .iter()
                    .filter_map(|c| char::from_u32(*c))
                    .collect::<String>()
                    .into(),
            ),
            _ => Part::Glob(tokens),
        });
    }
    if names == 0 {
        return Err("it has no name in it");
    }
    parts.push(Part::End);
    Ok(())
}

fn tokens(name: &str, ignore_case: bool) -> Result<Vec<Token>, &'static str> {
    let fold = |c: char| if ignore_case { lower(c) } else { c as u32 };
    let mut tokens = Vec::new();
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' if tokens.last() == Some(&Token::Star) => continue,
            '*' => Token::Star,
            '?' => Token::Any,
            '\\' => Token::Char(fold(chars.next().ok_or("a \\ must be followed by a character")?)),
            '[' => {
                let negated = chars.next_if(|c| matches!(c, '!' | '^')).is_some();
                let mut ranges = Vec::new();
                loop {
                    let mut next = || match chars.next() {
                        Some('\\') => chars.next().ok_or("a [ has no ] after it"),
                        other => other.ok_or("a [ has no ] after it"),
                    };
                    let first = next()?;
                    if first == ']' && !ranges.is_empty() {
                        break;
                    }
                    let mut ahead = chars.clone();
                    let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
                    let last = if is_range {
                        chars.next();
                        match chars.next() {
                            Some('\\') => chars.next().ok_or("a [ has no ] after it")?,
                            other => other.ok_or("a [ has no ] after it")?,
                        }
                    } else {
                        first
                    };
                    if last < first {
                        return Err("a range goes backwards");
                    }
                    ranges.push((first as u32, last as u32));
                    if ignore_case {
                        ranges.push((lower(first), lower(last)));
                        ranges.push((upper(first), upper(last)));
                    }
                }
                Token::Class { negated, ranges }
            }
            _ => Token::Char(fold(c)),
        });
    }
    Ok(tokens)
}

fn lower(c: char) -> u32 {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one as u32,
        _ => c as u32,
    }
}

fn upper(c: char) -> u32 {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one as u32,
        _ => c as u32,
    }
}

/// A name as characters; a byte that is not UTF-8 is a character of its own that no pattern names.
fn decode(name: &[u8], ignore_case: bool, out: &mut Vec<u32>) {
    out.clear();
    for chunk in name.utf8_chunks() {
        out.extend(
            chunk
                .valid()
                .chars()
                .map(|c| if ignore_case { lower(c) } else { c as u32 }),
        );
        out.extend(chunk.invalid().iter().map(|byte| 0x11_0000 + u32::from(*byte)));
    }
}

/// Whether a glob matches a whole name. Goes back to the last star only, so that the time is at most the product of both
/// lengths.
fn glob(tokens: &[Token], name: &[u32]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let matches = match (tokens.get(token), name.get(at)) {
            (Some(Token::Star), _) => {
                star = Some((token, at));
                token += 1;
                continue;
            }
            (None, None) => return true,
            (Some(Token::Any), Some(_)) => true,
            (Some(Token::Char(c)), Some(n)) => c == n,
            (Some(Token::Class { negated, ranges }), Some(n)) => {
                ranges.iter().any(|(first, last)| first <= n && n <= last) != *negated
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        if matches {
            token += 1;
            at += 1;
        } else if let Some((after, from)) = star.filter(|(_, from)| *from < name.len()) {
            star = Some((after, from + 1));
            token = after + 1;
            at = from + 1;
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches_with(ignore_case: bool, pattern: &str, path: &str) -> bool {
        let mut patterns = Patterns::new(&[pattern], ignore_case).unwrap();
        let (mut state, mut matched) = (patterns.start(), false);
        for name in path.split('/').skip(1) {
            (state, matched) = patterns.step(state, name.as_bytes());
        }
        matched
    }

    fn matches(pattern: &str, path: &str) -> bool {
        matches_with(false, pattern, path)
    }

    #[test]
    fn names_match_at_any_depth() {
        assert!(matches("a", "/a"));
        assert!(matches("a", "/x/y/a"));
        assert!(!matches("a", "/a/b"));
        assert!(matches("*.c", "/x/main.c"));
        assert!(!matches("*.c", "/x/main.cc"));
        assert!(matches("x/y", "/w/x/y"));
        assert!(!matches("x/y", "/x/w/y"));
        assert!(matches("**", "/w/x"));
    }

    #[test]
    fn anchored_paths() {
        assert!(matches("/a/b", "/a/b"));
        assert!(!matches("/a/b", "/x/a/b"));
        assert!(matches("/a/*/c", "/a/b/c"));
        assert!(!matches("/a/*/c", "/a/b/b/c"));
        assert!(matches("/a/**/c", "/a/c"));
        assert!(matches("/a/**/c", "/a/b/b/c"));
        assert!(matches("/home/*/.ssh/**", "/home/me/.ssh/keys/id"));
        assert!(!matches("/home/*/.ssh/**", "/home/me/.ssh"));
        assert!(matches("/**/**/c", "/c"));
    }

    #[test]
    fn globs_of_a_name() {
        assert!(matches("a?c", "/aéc"));
        assert!(!matches("a?c", "/ac"));
        assert!(matches("[a-c]x[!0-9]", "/bxy"));
        assert!(!matches("[a-c]x[!0-9]", "/bx7"));
        assert!(!matches("[^a]", "/a"));
        assert!(matches("[]x]", "/]"));
        assert!(matches("[a-]", "/-"));
        assert!(matches(r"\*", "/*"));
        assert!(!matches(r"\*", "/a"));
        assert!(matches("*a*b*c*", "/xxaxbxbxc"));
        assert!(!matches("*a*b*c", "/xxaxbxb"));
        assert!(matches("***", "/x"));
        assert!(matches_with(true, "ÄB*[x-z]", "/äbcY"));
        assert!(matches_with(true, "readme", "/README"));
        assert!(!matches("readme", "/README"));
    }

    #[test]
    fn bytes_that_are_no_text_match_wildcards_only() {
        let mut patterns = Patterns::new(&["a?b", "*\u{fffd}*"], false).unwrap();
        let start = patterns.start();
        assert!(patterns.step(start, b"a\xffb").1);
        assert!(!patterns.step(start, b"\xff").1);
    }

    #[test]
    fn a_state_says_when_nothing_below_can_match() {
        let mut patterns = Patterns::new(&["/a/b/*", "/a/c"], false).unwrap();
        let (below_a, matched) = patterns.step(patterns.start(), b"a");
        assert!(!matched && !Patterns::is_over(below_a));
        assert!(Patterns::is_over(patterns.step(patterns.start(), b"x").0));
        let (below_c, matched) = patterns.step(below_a, b"c");
        assert!(matched && Patterns::is_over(below_c));
        let mut names = Patterns::new(&["a", "*.c"], false).unwrap();
        let start = names.start();
        assert_eq!(names.step(start, b"a"), (start, true));
        assert_eq!(names.step(start, b"b"), (start, false));
    }

    #[test]
    fn all_below_a_match_if_asked_for() {
        let mut patterns = Patterns::new(&["net", "/a/*.c"], false).unwrap().and_below();
        let mut matched = |path: &str| {
            let mut state = (patterns.start(), false);
            for name in path.split('/').skip(1) {
                state = patterns.step(state.0, name.as_bytes());
            }
            state.1
        };
        assert!(matched("/x/net") && matched("/x/net/y") && matched("/x/net/y/z"));
        assert!(matched("/a/b.c/d") && !matched("/a/b") && !matched("/x/y"));
    }

    #[test]
    fn none_match_everything_and_bad_ones_are_refused() {
        let mut all = Patterns::new::<&str>(&[], false).unwrap();
        assert_eq!(all.step(all.start(), b"x"), (all.start(), true));
        for bad in ["", "/", "[a", "[", "a\\", "[z-a]"] {
            assert!(Patterns::new(&[bad], false).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_globset(pattern in "[ab*?]{1,6}", name in "[ab]{1,8}") {
            let theirs = globset::Glob::new(&pattern).unwrap().compile_matcher().is_match(&name);
            prop_assert_eq!(matches(&pattern, &format!("/{name}")), theirs);
        }

        #[test]
        fn any_text_is_read_or_refused(pattern in "\\PC{0,12}", name: Vec<u8>, ignore_case: bool) {
            if let Ok(mut patterns) = Patterns::new(&[pattern], ignore_case) {
                let start = patterns.start();
                let (state, _) = patterns.step(start, &name);
                let _ = patterns.step(state, &name);
            }
        }
    }
}
