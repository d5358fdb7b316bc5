//! Going back: a volume cannot become what it was, so a new one is made of the snapshot and takes its place. The old one is
//! kept as it is, which is safer than a snapshot of it.

use super::answer::{Attachment, Volume};
use super::client::Client;
use super::place::{new_volume, usable};
use super::wait;
use crate::progress::Cancel;
use crate::snapshot::{Error, Result, RollbackPlan, RolledBack, Snapshot, Work};

/// What going back would do.
pub(super) fn plan(client: &Client, id: &str, snapshot: &Snapshot) -> Result<RollbackPlan> {
    let cancel = Cancel::default();
    let volume = client.volume(id, &cancel)?;
    let mut obstacles: Vec<String> = usable(client, snapshot).err().iter().map(ToString::to_string).collect();
    let mut steps = Vec::new();
    let state = match &volume {
        None => {
            obstacles.push(format!(
                "{id} is gone: make a volume of the snapshot instead (coffer snapshot clone {} zone:ZONE)",
                snapshot.id
            ));
            "gone".to_owned()
        }
        Some(volume) => {
            steps.push(format!(
                "A new volume is made of {} in {}.",
                snapshot.handle, volume.zone
            ));
            obstacles.extend(in_the_way(client, volume, &cancel)?);
            describe(volume, &mut steps);
            state_of(volume)
        }
    };
    Ok(RollbackPlan {
        loses: vec![format!(
            "nothing: what was written to {id} since {} stays on it",
            snapshot.taken
        )],
        steps,
        safety: false,
        takes_along: Vec::new(),
        obstacles,
        state: format!("{} {state}", snapshot.handle),
        to: snapshot.clone(),
    })
}

fn describe(volume: &Volume, steps: &mut Vec<String>) {
    let id = &volume.id;
    match volume.attachments.as_slice() {
        [] => steps.push(format!(
            "{id} is attached to nothing and stays as it is: use the new one in its place."
        )),
        [at, ..] => {
            steps.push(format!(
                "{id} is detached from {} and kept; the new one is attached there as {}.",
                at.instance, at.device
            ));
            if at.deleted_with_instance {
                steps.push(format!(
                    "{id} was to be deleted with {}; neither it nor the new one will be.",
                    at.instance
                ));
            }
        }
    }
    steps.push(format!(
        "The snapshots of {id} stay its own: plans and policies that name ebs:{id} should name the new one."
    ));
}

/// What stands against it.
fn in_the_way(client: &Client, volume: &Volume, cancel: &Cancel) -> Result<Option<String>> {
    let id = &volume.id;
    Ok(match (volume.state.as_str(), volume.attachments.as_slice()) {
        ("available", []) => None,
        ("in-use", [at]) if at.state == "attached" => match client.instance_state(&at.instance, cancel)?.as_str() {
            "stopped" => None,
            state => Some(format!(
                "the instance {} is {state}: stop it first, so that its volume can be exchanged; or make a volume of the \
                 snapshot beside it (coffer snapshot clone ID zone:{})",
                at.instance, volume.zone
            )),
        },
        (_, [_, _, ..]) => Some(format!(
            "{id} is attached to several instances: detach it from all but one"
        )),
        (state, _) => Some(format!("{id} is {state}: wait until that is over")),
    })
}

/// What must be as it was when the plan was made.
fn state_of(volume: &Volume) -> String {
    let at: Vec<String> = volume
        .attachments
        .iter()
        .map(|at| format!("{}:{}:{}", at.instance, at.device, at.state))
        .collect();
    format!("{} {}", volume.state, at.join(","))
}

/// Goes back.
pub(super) fn carry_out(client: &Client, id: &str, plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
    let now = self::plan(client, id, &plan.to)?;
    if now.state != plan.state || !now.obstacles.is_empty() {
        return Err(Error::Unable {
            target: format!("{} cannot be rolled back: it", plan.to.target),
            why: now
                .obstacles
                .into_iter()
                .next()
                .unwrap_or_else(|| "things have changed since the plan was made: make it again".into()),
        });
    }
    let from = usable(client, &plan.to)?;
    let gone = || Error::NoSnapshot(plan.to.id.to_string());
    let old = client.volume(id, work.cancel)?.ok_or_else(gone)?;
    let mut tags: Vec<_> = old
        .tags
        .iter()
        .filter(|(key, _)| !key.starts_with("aws:"))
        .cloned()
        .collect();
    tags.retain(|(key, _)| !key.starts_with("coffer:"));
    tags.push(("coffer:instead-of".into(), id.to_owned()));
    let new = new_volume(client, &from, &old.zone, Some(&old), tags, work)?;
    if let Some(at) = old.attachments.first() {
        exchange(client, &old, &new, at, work).inspect_err(|error| {
            let undone = undo(client, &old, &new, at);
            (work.note)(match undone {
                Ok(()) => format!("{id} is attached to {} as before: {error}", at.instance),
                Err(again) => format!("{id} could not be attached to {} again: {again}", at.instance),
            });
        })?;
    }
    // Asked once more, so that what is told is what is there.
    let made = client.volume(&new.id, &Cancel::default())?.ok_or_else(gone)?;
    let place = match (old.attachments.first(), made.attachments.first()) {
        (None, _) => format!("{} in {}", made.id, made.zone),
        (Some(then), Some(now)) if then.instance == now.instance && then.device == now.device => {
            format!("{} on {} as {}", made.id, now.instance, now.device)
        }
        _ => return Err(differs(id, "the new volume is not attached where the old one was")),
    };
    if made.snapshot != from.id {
        return Err(differs(
            id,
            "the cloud says that the new volume was made of something else",
        ));
    }
    Ok(RolledBack {
        safety: None,
        verified: format!("{place} is made of {}; {id} is kept as it was", from.id),
    })
}

fn differs(id: &str, difference: &str) -> Error {
    Error::NotTheSame {
        what: format!("ebs:{id}"),
        difference: difference.into(),
        safety: format!("none, but the old volume {id} is there"),
    }
}

/// Puts the new volume where the old one is. Not to be stopped half-way.
fn exchange(client: &Client, old: &Volume, new: &Volume, at: &Attachment, work: &Work) -> Result<()> {
    work.cancel.check()?;
    let stay = Cancel::default();
    client.detach(&old.id, &at.instance)?;
    wait::volume(client, &old.id, "detaching", &stay, |volume| {
        volume.state == "available"
    })?;
    client.attach(&new.id, &at.instance, &at.device)?;
    wait::volume(client, &new.id, "attaching", &stay, |volume| {
        volume.attachments.iter().any(|at| at.state == "attached")
    })?;
    Ok(())
}

/// As it was before.
fn undo(client: &Client, old: &Volume, new: &Volume, at: &Attachment) -> Result<()> {
    let stay = Cancel::default();
    let holds = |id: &str| {
        Ok::<_, Error>(
            client
                .volume(id, &stay)?
                .filter(|volume| !volume.attachments.is_empty()),
        )
    };
    if holds(&new.id)?.is_some() {
        client.detach(&new.id, &at.instance)?;
        wait::volume(client, &new.id, "detaching", &stay, |volume| {
            volume.state == "available"
        })?;
    }
    let stays = |volume: &Volume| volume.attachments.iter().any(|at| at.state == "attached");
    if !client.volume(&old.id, &stay)?.is_some_and(|volume| stays(&volume)) {
        // It may still be on its way out.
        wait::volume(client, &old.id, "detaching", &stay, |volume| {
            volume.state == "available" || stays(volume)
        })?;
        if !client.volume(&old.id, &stay)?.is_some_and(|volume| stays(&volume)) {
            client.attach(&old.id, &at.instance, &at.device)?;
        }
        wait::volume(client, &old.id, "attaching", &stay, stays)?;
    }
    client.delete_volume(&new.id)
}
