use super::List;
use crate::engine::question::{VersionRow, Versions};
use crate::engine::{Answer, Question};
use crate::tui::dialogs::restore::RestoreForm;
use crate::tui::msg::Msg;
use crate::tui::stage::Stage;
use crate::tui::stage::vaults::generations;
use crate::tui::tests::time_travel::on_notes;

/// Tells some of the versions; `newer` holds those above, and the disk comes with the whole.
fn tell(stage: &mut Stage, newer: Vec<VersionRow>, count: usize) {
    let asked = stage
        .unanswered
        .iter()
        .find(|(_, q)| matches!(q, Question::Versions { .. }));
    let (request, question) = asked.cloned().unwrap();
    let Answer::Versions(all) = stage.world.answer(&question) else {
        panic!("{question:?}")
    };
    let whole = count == all.versions.len();
    let told = Versions {
        versions: newer.into_iter().chain(all.versions.into_iter().take(count)).collect(),
        disk: all.disk.filter(|_| whole),
        newest_seen: whole,
        oldest_seen: whole,
        ..all
    };
    let at = stage.now();
    if whole {
        stage.unanswered.retain(|(other, _)| *other != request);
    }
    stage.send(Msg::Answer {
        request,
        answer: Answer::Versions(told),
        complete: whole,
        at,
    });
}

/// The generation by which the version under the cursor is known, by its number in the made-up vault.
fn on(stage: &Stage) -> Option<usize> {
    let list = stage.model.dialog::<List>().unwrap();
    let (_, run) = list.current(&stage.model).unwrap();
    let id = run?.held.first()?.0;
    generations().iter().position(|row| row.id == id)
}

#[test]
fn the_cursor_stays_on_its_version_while_others_arrive() {
    let mut stage = on_notes();
    stage.silent = true;
    stage.keys("V");
    tell(&mut stage, Vec::new(), 3);
    assert_eq!(on(&stage), Some(0), "the one that is shown");
    stage.keys("j j");
    assert_eq!(on(&stage), Some(3));
    tell(&mut stage, Vec::new(), 4);
    assert_eq!(on(&stage), Some(3));
    // The disk comes above.
    tell(&mut stage, Vec::new(), 5);
    assert_eq!(on(&stage), Some(3));
    // A backup has ended: all are asked for anew, and there is one more.
    let newest = VersionRow {
        held: vec![(crate::vault::Id::of(b"new"), crate::tui::stage::NOW)],
        ..stage.model.files.travel.versions.versions[0].clone()
    };
    stage.send(Msg::VaultChanged("home".into()));
    stage.keys("j");
    tell(&mut stage, vec![newest.clone()], 1);
    tell(&mut stage, vec![newest], 5);
    assert_eq!(on(&stage), Some(3));
    stage.keys("r");
    assert!(stage.model.dialog::<RestoreForm>().is_some());
    assert!(
        stage.screen().contains("notes.txt as of 2026-11-15"),
        "{}",
        stage.screen()
    );
}
