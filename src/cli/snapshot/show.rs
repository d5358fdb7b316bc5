//! `coffer snapshot show`.

use super::{Context, Exit, Failure, One, made_by, target_text, value};
use crate::cli::output::{bytes, escape};

/// Show all that is known of a snapshot
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  coffer snapshot show 4bba301e0a12")]
pub struct Args {
    #[command(flatten)]
    one: One,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let snapshot = self.one.find(context)?;
        let size = context.engine.keeper(&snapshot)?.size(&snapshot).ok();
        if context.out.json {
            context.out.value(&value(&snapshot, size))?;
            return Ok(Exit::Done);
        }
        let kind = serde_json::to_value(snapshot.kind).map(|kind| kind.as_str().unwrap_or_default().to_owned());
        let alone = size.and_then(|size| {
            let alone = bytes(size.exclusive?);
            Some(if size.exact { alone } else { format!("about {alone}") })
        });
        let fates = context
            .engine
            .fates(&snapshot.target, &context.engine.snapshots_of(&snapshot.target)?);
        let fate = fates.into_iter().find(|fate| fate.id == snapshot.id);
        let becomes = fate.map(|fate| escape(fate.words.as_bytes())).unwrap_or_default();
        let lines = [
            ("id", snapshot.id.to_string()),
            ("target", target_text(&snapshot.target)),
            ("kind", kind.unwrap_or_default()),
            ("taken", context.out.time(&snapshot.taken)),
            ("consistency", snapshot.consistency.to_string()),
            ("label", escape(snapshot.label.as_bytes())),
            ("protected", if snapshot.protected { "yes" } else { "no" }.into()),
            ("made", made_by(&snapshot)),
            ("becomes", becomes),
            ("group", snapshot.group.clone().unwrap_or_default()),
            (
                "writers held",
                snapshot.pause.map(|ms| format!("{ms} ms")).unwrap_or_default(),
            ),
            (
                "holds",
                size.and_then(|size| size.logical).map(bytes).unwrap_or_default(),
            ),
            ("alone", alone.unwrap_or_default()),
            ("where", escape(snapshot.handle.as_bytes())),
        ];
        for (what, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
            context.out.line(format!("{what:<13} {text}"))?;
        }
        for note in &snapshot.notes {
            context
                .out
                .line(format!("{:<13} {}", "note", escape(note.as_bytes())))?;
        }
        Ok(Exit::Done)
    }
}
