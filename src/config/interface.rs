//! How the user wants the interface: `[interface]` and `[keys]`.
//!
//! ```toml
//! [interface]
//! theme = "dark"         # ansi, dark, light, mono, colour-blind-dark, colour-blind-light
//! colours = "true"       # 16, 256 or true; else what COLORTERM and TERM say
//! symbols = "unicode"    # unicode, block or ascii; else what the locale says
//! mouse = "auto"         # on, off, or auto: on, but off over SSH
//! key-hints = true       # the keys of the place, in the last line
//! start = "last"         # last, overview, vaults or search
//!
//! [keys]
//! "files.restore" = "R"                # in place of the usual keys
//! "files.select" = ["Space", "x"]
//! "app.reload" = []                    # no key
//! ```

/// What `[interface]` and `[keys]` say. What is not said, or is wrong, is `None` or the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The colours; `NO_COLOR` decides when `None`.
    pub theme: Option<ThemeName>,
    /// How many colours the terminal shows, when its own word is not to be taken.
    pub colours: Option<Colours>,
    /// The glyphs; the locale decides when `None`.
    pub symbols: Option<SymbolSet>,
    /// Whether the mouse is heard.
    pub mouse: Mouse,
    /// Whether the last line shows the keys of the place.
    pub key_hints: bool,
    /// Where one is at the start.
    pub start: StartAt,
    /// Keys that mean something else than usual, in the order of the file.
    pub keys: Vec<Binding>,
    /// What is wrong in the two tables, in the order of the file.
    pub problems: Vec<Problem>,
}

impl Default for Interface {
    fn default() -> Self {
        Interface {
            theme: None,
            colours: None,
            symbols: None,
            mouse: Mouse::default(),
            key_hints: true,
            start: StartAt::default(),
            keys: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// A choice among a few names.
pub trait Named: Copy + PartialEq + Sized + 'static {
    /// Every choice with its name in the config.
    const NAMES: &'static [(&'static str, Self)];

    /// Its name in the config.
    fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, value)| *value == self)
            .map_or("", |(name, _)| name)
    }
}

/// A theme, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is the name it has in the config
pub enum ThemeName {
    Ansi,
    Dark,
    Light,
    Mono,
    ColourBlindDark,
    ColourBlindLight,
}

impl Named for ThemeName {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("ansi", ThemeName::Ansi),
        ("dark", ThemeName::Dark),
        ("light", ThemeName::Light),
        ("mono", ThemeName::Mono),
        ("colour-blind-dark", ThemeName::ColourBlindDark),
        ("colour-blind-light", ThemeName::ColourBlindLight),
    ];
}

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is what it names
pub enum Colours {
    Sixteen,
    Many,
    True,
}

impl Named for Colours {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("16", Colours::Sixteen),
        ("256", Colours::Many),
        ("true", Colours::True),
    ];
}

/// A set of glyphs, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is the name it has in the config
pub enum SymbolSet {
    Unicode,
    Block,
    Ascii,
}

impl Named for SymbolSet {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("unicode", SymbolSet::Unicode),
        ("block", SymbolSet::Block),
        ("ascii", SymbolSet::Ascii),
    ];
}

/// Whether the mouse is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mouse {
    /// Yes, but not over SSH, where the terminal's own selection is worth more.
    #[default]
    Auto,
    /// Yes.
    On,
    /// No.
    Off,
}

impl Named for Mouse {
    const NAMES: &'static [(&'static str, Self)] = &[("auto", Mouse::Auto), ("on", Mouse::On), ("off", Mouse::Off)];
}

impl Mouse {
    /// Whether the mouse is heard, over SSH or not.
    pub fn is_on(self, over_ssh: bool) -> bool {
        match self {
            Mouse::Auto => !over_ssh,
            Mouse::On => true,
            Mouse::Off => false,
        }
    }
}

/// Where one is at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartAt {
    /// Where one was at the end.
    #[default]
    Last,
    /// What is protected and what is not.
    Overview,
    /// The vaults.
    Vaults,
    /// The search.
    Search,
}

impl Named for StartAt {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("last", StartAt::Last),
        ("overview", StartAt::Overview),
        ("vaults", StartAt::Vaults),
        ("search", StartAt::Search),
    ];
}

/// Keys that mean an action. Neither the action nor the keys are checked here: only the interface knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The action's id, such as `files.restore`.
    pub action: String,
    /// Key sequences, such as `R` or `Ctrl-x r`; none takes the action's keys away.
    pub keys: Vec<String>,
    /// Its line in the config, from 1.
    pub line: usize,
}

/// Something wrong that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the config, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}
