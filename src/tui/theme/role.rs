//! What a piece of text, a bar or a mark is for.

/// What a piece of text is for. Drawing code names roles; only themes know colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Plain text.
    Text,
    /// What matters less.
    Dim,
    /// The program's name, a dialog's title.
    Title,
    /// The focused pane's title and rule.
    Focus,
    /// Rules and frames.
    Border,
    /// The row the keys act on.
    Cursor,
    /// The row that would be acted on if its pane had the focus.
    CursorAway,
    /// Chosen with Space.
    Marked,
    /// A folder's name.
    Folder,
    /// A key in a hint.
    Key,
    /// A filter in force.
    Chip,
    /// The letters of a text that fit what is searched for.
    Match,
    /// What cannot be done now.
    Disabled,
    /// Done, fine.
    Good,
    /// Worth a look.
    Warning,
    /// Failed, or will be lost.
    Danger,
    /// The done part of a gauge, a bar of a chart with one series.
    Gauge,
    /// A field one types into.
    Field,
    /// There now, not there before.
    Added,
    /// There before, gone now.
    Removed,
    /// There before and now, but different.
    Changed,
    /// Storage read at once.
    ClassHot,
    /// Storage read seldom.
    ClassCool,
    /// Storage read rarely, at a price.
    ClassCold,
    /// Storage that takes hours to read.
    ClassArchive,
    /// A timeline's lane of whole generations.
    LaneFull,
    /// A timeline's lane of generations that brought what had changed.
    LaneIncremental,
    /// A timeline's lane of runs that failed.
    LaneFailed,
    /// A timeline's lane of generations that would go.
    LaneLeaving,
    /// A day of a calendar heat map, from 0 (nothing) to 4 (most); more counts as 4.
    Heat(u8),
    /// A day on which a run was due and none was.
    Missed,
    /// One of a chart's series, from 0; after 5 they begin anew.
    Series(u8),
    /// A chart's axes, ticks and units.
    Axis,
    /// What a chart expects of the future.
    Projection,
}

/// Steps of [`Role::Heat`].
pub const HEATS: u8 = 5;
/// Series a chart can tell apart by style: [`Role::Series`].
pub const SERIES: u8 = 6;

impl Role {
    /// Every role, each step and series apart.
    pub fn all() -> impl Iterator<Item = Role> {
        const PLAIN: [Role; 32] = [
            Role::Text,
            Role::Dim,
            Role::Title,
            Role::Focus,
            Role::Border,
            Role::Cursor,
            Role::CursorAway,
            Role::Marked,
            Role::Folder,
            Role::Key,
            Role::Chip,
            Role::Match,
            Role::Disabled,
            Role::Good,
            Role::Warning,
            Role::Danger,
            Role::Gauge,
            Role::Field,
            Role::Added,
            Role::Removed,
            Role::Changed,
            Role::ClassHot,
            Role::ClassCool,
            Role::ClassCold,
            Role::ClassArchive,
            Role::LaneFull,
            Role::LaneIncremental,
            Role::LaneFailed,
            Role::LaneLeaving,
            Role::Missed,
            Role::Axis,
            Role::Projection,
        ];
        PLAIN
            .into_iter()
            .chain((0..HEATS).map(Role::Heat))
            .chain((0..SERIES).map(Role::Series))
    }
}
