//! `[interface]` and `[keys]`. What is wrong here is gathered, not returned: it must not keep a backup from running.

use toml::Spanned;
use toml::de::DeValue;

use super::super::{Binding, Error, Interface, Named, Problem, Result, suggest};
use super::table::Table;

const KEYS: &[&str] = &["theme", "colours", "symbols", "mouse", "key-hints", "start"];

/// Reads both tables.
pub(super) fn interface(top: &Table) -> Interface {
    let mut found = Interface::default();
    let mut problems = Vec::new();
    match top.table("interface", "interface") {
        Ok(None) => {}
        Ok(Some(table)) => {
            problems.extend(table.unknown(KEYS));
            found.theme = kept(choice(&table, "theme"), &mut problems);
            found.colours = kept(choice(&table, "colours"), &mut problems);
            found.symbols = kept(choice(&table, "symbols"), &mut problems);
            found.mouse = kept(choice(&table, "mouse"), &mut problems).unwrap_or_default();
            found.start = kept(choice(&table, "start"), &mut problems).unwrap_or_default();
            if table.get("key-hints").is_some() {
                found.key_hints = kept(table.boolean("key-hints").map(Some), &mut problems).unwrap_or(true);
            }
        }
        Err(error) => problems.push(error),
    }
    match top.table("keys", "keys") {
        Ok(None) => {}
        Ok(Some(table)) => bindings("", &table, &mut found.keys, &mut problems),
        Err(error) => problems.push(error),
    }
    found.keys.sort_by_key(|binding| binding.line);
    found.problems = problems.into_iter().map(problem).collect();
    found.problems.sort_by_key(|problem| problem.line);
    found
}

fn problem(error: Error) -> Problem {
    match error {
        Error::Invalid { line, what, .. } => Problem { line, what },
        other => Problem {
            line: 1,
            what: other.to_string(),
        },
    }
}

/// The value, or none and the complaint put aside.
fn kept<T>(result: Result<Option<T>>, problems: &mut Vec<Error>) -> Option<T> {
    result.unwrap_or_else(|error| {
        problems.push(error);
        None
    })
}

/// One of a few names; for `true` and `16` written without quotes, their text.
fn choice<T: Named>(table: &Table, key: &str) -> Result<Option<T>> {
    let Some(value) = table.get(key) else { return Ok(None) };
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Boolean(yes) => {
            let (word, other) = if *yes { ("on", "true") } else { ("off", "false") };
            let knows = |word| T::NAMES.iter().any(|(name, _)| *name == word);
            if knows(word) { word } else { other }.to_owned()
        }
        _ => return Err(table.wrong(key, value, "a string")),
    };
    if let Some((_, choice)) = T::NAMES.iter().find(|(name, _)| *name == text) {
        return Ok(Some(*choice));
    }
    let names = || T::NAMES.iter().map(|(name, _)| *name);
    let hint = match suggest(&text, names()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("it can be {}", names().collect::<Vec<_>>().join(", ")),
    };
    let what = format!("{key} is {text:?}: {hint}");
    Err(table.source.error(value.span().start, &what))
}

/// The bindings in a table; `files.restore = "R"` without quotes is a table `files`, and means the same.
fn bindings(group: &str, table: &Table, found: &mut Vec<Binding>, problems: &mut Vec<Error>) {
    for (name, value) in table.table.iter() {
        let at = name.span().start;
        let action = match group {
            "" => name.get_ref().to_string(),
            group => format!("{group}.{}", name.get_ref()),
        };
        if let DeValue::Table(inner) = value.get_ref() {
            let inner = Table::new(table.source, "keys", at, inner);
            bindings(&action, &inner, found, problems);
            continue;
        }
        match keys(&action, table, value) {
            Ok(keys) => found.push(Binding {
                action,
                keys,
                line: table.source.line(at),
            }),
            Err(error) => problems.push(error),
        }
    }
}

/// A string, an array of strings, or `false` for none.
fn keys(action: &str, table: &Table, value: &Spanned<DeValue>) -> Result<Vec<String>> {
    let wrong = |value: &Spanned<DeValue>| {
        let what = format!(
            "the keys of {action} must be a string or an array of strings, such as [\"R\", \"Ctrl-x r\"], not {}",
            value.get_ref().type_str()
        );
        table.source.error(value.span().start, &what)
    };
    let text = |value: &Spanned<DeValue>| match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err(wrong(value)),
    };
    match value.get_ref() {
        DeValue::Array(values) => values.iter().map(text).collect(),
        DeValue::Boolean(false) => Ok(Vec::new()),
        _ => text(value).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::super::super::{Colours, Config, Mouse, StartAt, SymbolSet, ThemeName};
    use super::*;

    fn read(text: &str) -> Interface {
        Config::parse(text, Path::new("/etc/coffer/config.toml"))
            .unwrap()
            .interface
    }

    fn complaint(text: &str) -> String {
        let found = read(text).problems;
        found.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn all_of_it_is_read() {
        let found = read(
            "[interface]\ntheme = \"colour-blind-dark\"\ncolours = \"256\"\nsymbols = \"block\"\nmouse = false\n\
             key-hints = false\nstart = \"search\"\n",
        );
        let wanted = Interface {
            theme: Some(ThemeName::ColourBlindDark),
            colours: Some(Colours::Many),
            symbols: Some(SymbolSet::Block),
            mouse: Mouse::Off,
            key_hints: false,
            start: StartAt::Search,
            keys: Vec::new(),
            problems: Vec::new(),
        };
        assert_eq!(found, wanted);
        assert_eq!(read(""), Interface::default());
        let bare = read("[interface]\ncolours = true\nmouse = true\n");
        assert_eq!((bare.colours, bare.mouse), (Some(Colours::True), Mouse::On));
        assert_eq!(read("[interface]\ncolours = 16\n").colours, Some(Colours::Sixteen));
    }

    #[test]
    fn ids_are_understood_with_quotes_and_without() {
        let binding = |action: &str, keys: &[&str], line| Binding {
            action: action.into(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            line,
        };
        let found = read(
            "[keys]\n\"files.select\" = [\"Space\", \"x\"]\nfiles.restore = \"R\"\napp.reload = []\napp.help = false\n\
             [keys.vaults]\nopen = \"o\"\n",
        );
        let wanted = [
            binding("files.select", &["Space", "x"], 2),
            binding("files.restore", &["R"], 3),
            binding("app.reload", &[], 4),
            binding("app.help", &[], 5),
            binding("vaults.open", &["o"], 7),
        ];
        assert_eq!(found.keys, wanted);
        assert_eq!(found.problems, []);
    }

    #[test]
    fn complaints_have_lines_and_say_what_was_meant() {
        assert_snapshot!(complaint("[interface]\nthme = \"dark\"\n"), @r#"line 2: interface has no key "thme": did you mean theme?"#);
        assert_snapshot!(complaint("[interface]\n\ntheme = \"drak\"\n"), @r#"line 3: theme is "drak": did you mean dark?"#);
        assert_snapshot!(complaint("[interface]\ntheme = \"color-blind-dark\"\n"), @r#"line 2: theme is "color-blind-dark": did you mean colour-blind-dark?"#);
        assert_snapshot!(complaint("[interface]\nsymbols = \"emoji\"\ncolours = 8\nmouse = 1.5\n"), @r#"
        line 2: symbols is "emoji": it can be unicode, block, ascii
        line 3: colours is "8": it can be 16, 256, true
        line 4: mouse of interface must be a string, not float
        "#);
        assert_snapshot!(complaint("[interface]\nkey-hints = \"no\"\n[keys]\n\"a.b\" = 7\n\"c.d\" = [1]\n"), @r#"
        line 2: key-hints of interface must be true or false, not string
        line 4: the keys of a.b must be a string or an array of strings, such as ["R", "Ctrl-x r"], not integer
        line 5: the keys of c.d must be a string or an array of strings, such as ["R", "Ctrl-x r"], not integer
        "#);
        assert_snapshot!(complaint("interface = 5\nkeys = \"none\"\n"), @r"
        line 1: interface must be a table: [interface]
        line 2: keys must be a table: [keys]
        ");
    }

    #[test]
    fn what_is_wrong_here_stops_nothing() {
        let text = "[interface]\ntheme = \"drak\"\nsymbols = \"ascii\"\n[vaults.a]\npath = \"/a\"\n";
        let config = Config::parse(text, Path::new("/c")).unwrap();
        assert_eq!(config.vaults.len(), 1);
        assert_eq!(
            (config.interface.theme, config.interface.symbols),
            (None, Some(SymbolSet::Ascii))
        );
        assert_eq!(config.interface.problems.len(), 1);
    }
}
