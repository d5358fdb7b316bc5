//! Texts by a few of their letters: `gcoff` finds `generation … coffer`.
//!
//! A text fits when it holds the letters of each word of the query in their order. The best of all ways to place them is
//! found (a table of letters × text): letters at the start of a word, behind a `/` and in a row count more, gaps less.
//! Upper case in the query makes it exact about case. Places come back for showing.

/// What a letter in its place is worth.
const LETTER: i32 = 16;
/// … more at the very start of the text,
const AT_START: i32 = 12;
/// … behind a slash,
const BEHIND_SLASH: i32 = 10;
/// … at the start of a word,
const AT_WORD: i32 = 8;
/// … where a small letter is followed by a capital, or letters by a digit,
const AT_HUMP: i32 = 6;
/// … right behind the letter before.
const IN_A_ROW: i32 = 7;
/// What a gap costs to begin, and for each letter it is long.
const GAP: i32 = -3;
const GAP_LETTER: i32 = -1;
/// Characters of a text that are looked at.
const LOOKED_AT: usize = 400;
/// Characters of a query that count.
const QUERY: usize = 64;
/// A place that cannot be.
const NEVER: i32 = i32::MIN / 4;

/// How a text fits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fit {
    /// How well; more is better.
    pub score: i32,
    /// Which of its characters (not bytes) are meant, in order.
    pub places: Vec<usize>,
}

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    words: Vec<Vec<char>>,
    exact: bool,
}

impl Query {
    /// Reads what was typed; blanks part words, each of which must fit.
    pub fn new(typed: &str) -> Query {
        let exact = typed.chars().any(char::is_uppercase);
        let words = typed
            .split_whitespace()
            .map(|word| word.chars().take(QUERY).map(|c| folded(c, exact)).collect())
            .collect();
        Query { words, exact }
    }

    /// Whether nothing is looked for: every text fits.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How a text fits, if it does.
    pub fn fit(&self, text: &str) -> Option<Fit> {
        let shown: Vec<char> = text.chars().take(LOOKED_AT).collect();
        let letters: Vec<char> = shown.iter().map(|c| folded(*c, self.exact)).collect();
        let mut fit = Fit::default();
        for word in &self.words {
            // Most texts fail here, in one pass and without the table.
            let mut rest = letters.iter();
            if !word.iter().all(|wanted| rest.any(|letter| letter == wanted)) {
                return None;
            }
            let (score, places) = place(word, &letters, &shown);
            fit.score += score;
            fit.places.extend(places);
        }
        fit.places.sort_unstable();
        fit.places.dedup();
        Some(fit)
    }
}

/// The letter as it is compared.
fn folded(c: char, exact: bool) -> char {
    if exact { c } else { c.to_lowercase().next().unwrap_or(c) }
}

/// What a place in the text is worth by what stands before it.
fn bonus(shown: &[char], at: usize) -> i32 {
    let Some(before) = at.checked_sub(1).and_then(|at| shown.get(at)) else {
        return AT_START;
    };
    let here = shown[at];
    match *before {
        '/' => BEHIND_SLASH,
        _ if !here.is_alphanumeric() => 0,
        before if !before.is_alphanumeric() => AT_WORD,
        before if before.is_lowercase() && here.is_uppercase() => AT_HUMP,
        before if !before.is_numeric() && here.is_numeric() => AT_HUMP,
        _ => 0,
    }
}

/// The best way to place a word's letters, which are known to be there in their order.
fn place(word: &[char], letters: &[char], shown: &[char]) -> (i32, Vec<usize>) {
    let width = letters.len();
    // best[i][j]: the best score with letter i of the word at place j. From where it came is in `from`.
    let mut above: Vec<i32> = Vec::new();
    let mut from = vec![0usize; word.len() * width];
    for (i, wanted) in word.iter().enumerate() {
        let mut row = vec![NEVER; width];
        // The best of the row above up to j - 2, less what the gap up to j costs; and where that was.
        let (mut carried, mut carried_at) = (NEVER, 0);
        for j in 0..width {
            if i > 0 && j >= 2 {
                let fresh = above[j - 2] + GAP + GAP_LETTER;
                carried += GAP_LETTER;
                if fresh >= carried {
                    (carried, carried_at) = (fresh, j - 2);
                }
            }
            if letters[j] != *wanted {
                continue;
            }
            let here = LETTER + bonus(shown, j);
            if i == 0 {
                // A gap before the first letter costs a little, so that an early place is preferred.
                row[j] = here - i32::try_from(j.min(8)).unwrap_or(8) / 2;
                continue;
            }
            let in_a_row = match j {
                0 => NEVER,
                _ => above[j - 1] + LETTER + bonus(shown, j).max(IN_A_ROW),
            };
            let behind_gap = carried + here;
            (row[j], from[i * width + j]) = if in_a_row >= behind_gap {
                (in_a_row, j.saturating_sub(1))
            } else {
                (behind_gap, carried_at)
            };
        }
        above = row;
    }
    // The first of the best: earlier places win.
    let best = (0..width).rev().max_by_key(|j| above[*j]).unwrap_or(0);
    let score = above.get(best).copied().unwrap_or(0);
    let mut places = vec![0; word.len()];
    let mut at = best;
    for i in (0..word.len()).rev() {
        places[i] = at;
        at = from.get(i * width + at).copied().unwrap_or(0);
    }
    (score, places)
}

/// The texts that fit, best first; among equals the shorter, then the earlier one. With an empty query all, as they are.
/// Each has another name behind it, empty where there is none, that it is found by too: its places are not told.
pub fn rank<'a>(query: &Query, texts: impl Iterator<Item = [&'a str; 2]>) -> Vec<(usize, Fit)> {
    let fit = |(n, [text, other]): (usize, [&'a str; 2])| {
        let [shown, hidden] = [query.fit(text), query.fit(other)];
        let score = |fit: &Option<Fit>| fit.as_ref().map(|fit| fit.score);
        if score(&hidden) <= score(&shown) {
            return shown.map(|fit| (n, text.len(), fit));
        }
        let score = score(&hidden)?;
        Some((
            n,
            other.len(),
            Fit {
                score,
                places: Vec::new(),
            },
        ))
    };
    let mut found: Vec<(usize, usize, Fit)> = texts.enumerate().filter_map(fit).collect();
    if !query.is_empty() {
        found.sort_by(|(n, long, fit), (m, other_long, other)| {
            (other.score, *long, *n).cmp(&(fit.score, *other_long, *m))
        });
    }
    found.into_iter().map(|(n, _, fit)| (n, fit)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text with the letters that fit in brackets.
    fn shown(query: &str, text: &str) -> Option<String> {
        let fit = Query::new(query).fit(text)?;
        let mark = |(n, c): (usize, char)| {
            if fit.places.contains(&n) {
                format!("[{c}]")
            } else {
                c.to_string()
            }
        };
        Some(text.chars().enumerate().map(mark).collect::<String>().replace("][", ""))
    }

    fn best<'a>(query: &str, texts: &[&'a str]) -> Vec<&'a str> {
        let found = rank(&Query::new(query), texts.iter().map(|text| [*text, ""]));
        found.into_iter().map(|(n, _)| texts[n]).collect()
    }

    #[test]
    fn letters_are_found_where_they_mean_most() {
        assert_eq!(shown("etc", "fetch /etc").as_deref(), Some("fetch /[etc]"));
        assert_eq!(shown("bn", "back up now").as_deref(), Some("[b]ack up [n]ow"));
        assert_eq!(
            shown("nginx", "/etc/nginx/nginx.conf").as_deref(),
            Some("/etc/[nginx]/nginx.conf")
        );
        assert_eq!(shown("sd", "snapshotsDrawer").as_deref(), Some("[s]napshots[D]rawer"));
        assert_eq!(shown("08", "2026-08-22").as_deref(), Some("2026-[08]-22"));
        assert_eq!(shown("xyz", "xy"), None);
        assert_eq!(shown("ba", "ab"), None, "in their order");
    }

    #[test]
    fn every_word_must_fit_in_any_order() {
        assert_eq!(
            shown("home rest", "restore to home").as_deref(),
            Some("[rest]ore to [home]")
        );
        assert_eq!(shown("home x", "restore to home"), None);
        assert_eq!(shown("  ", "anything").as_deref(), Some("anything"));
    }

    #[test]
    fn capitals_make_it_exact() {
        assert_eq!(shown("readme", "README.md").as_deref(), Some("[README].md"));
        assert_eq!(shown("README", "readme.md"), None);
        assert_eq!(shown("ü", "Über").as_deref(), Some("[Ü]ber"));
    }

    #[test]
    fn the_best_come_first() {
        assert_eq!(
            best("rest", &["forest", "cold storage test", "restore", "unrest"]),
            ["restore", "forest", "unrest", "cold storage test"].map(|text| text)
        );
        assert_eq!(best("jobs", &["show the jobs", "jobs"]), ["jobs", "show the jobs"]);
        assert_eq!(best("", &["b", "a"]), ["b", "a"]);
    }

    /// Every way to place the letters, for the table to be held against.
    fn all_ways(word: &[char], letters: &[char], shown: &[char], i: usize, before: Option<usize>) -> i32 {
        if i == word.len() {
            return 0;
        }
        let mut best = NEVER;
        for j in before.map_or(0, |b| b + 1)..letters.len() {
            if letters[j] != word[i] {
                continue;
            }
            let here = match before {
                None => LETTER + bonus(shown, j) - (j.min(8) as i32) / 2,
                Some(b) if b + 1 == j => LETTER + bonus(shown, j).max(IN_A_ROW),
                Some(b) => LETTER + bonus(shown, j) + GAP + GAP_LETTER * (j - b - 1) as i32,
            };
            best = best.max(here + all_ways(word, letters, shown, i + 1, Some(j)));
        }
        best
    }

    proptest! {
        #[test]
        fn the_table_finds_the_best_way(word in "[ab/]{1,4}", text in "[abA/ ]{0,10}") {
            let letters: Vec<char> = text.chars().map(|c| folded(c, false)).collect();
            let shown: Vec<char> = text.chars().collect();
            let word: Vec<char> = word.chars().collect();
            let wanted = all_ways(&word, &letters, &shown, 0, None);
            let query = Query { words: vec![word], exact: false };
            match query.fit(&text) {
                None => prop_assert!(wanted < 0, "{wanted}"),
                Some(fit) => prop_assert_eq!(fit.score, wanted, "{:?}", fit.places),
            }
        }

        #[test]
        fn places_hold_the_letters(typed in "\\PC{0,8}", text in "\\PC{0,40}") {
            let query = Query::new(&typed);
            if let Some(fit) = query.fit(&text) {
                let letters: Vec<char> = text.chars().map(|c| folded(c, query.exact)).collect();
                prop_assert!(fit.places.iter().all(|at| *at < letters.len()));
                prop_assert!(fit.places.is_sorted());
                for letter in query.words.iter().flatten() {
                    prop_assert!(fit.places.iter().any(|at| letters[*at] == *letter));
                }
            }
        }
    }
}
