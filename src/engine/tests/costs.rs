//! What-ifs, held against what is really there: a naive traversal, a calculation by hand, and what forget and prune do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};

use super::questions::{answer, answers};
use super::*;
use crate::progress::{Cancel, Progress};
use crate::query::{Depth, list};
use crate::retention::{Budget, Many, Policy};
use crate::storage::FileKind;
use crate::vault::change::TagChange;
use crate::vault::generation::GroupBy;
use crate::vault::prune::PruneOptions;
use question::{GenerationCosts, LostAsked, LostWindow, StayRule, TreePath, WhatIf, WhatIfAsked};

const DAY: i64 = 86_400;

/// Two plans of one folder each into the vault `home`, which names the price of S3 in us-east-1.
struct Story {
    bench: Bench,
    day: Arc<AtomicI64>,
}

impl Story {
    fn new() -> Story {
        let day = Arc::new(AtomicI64::new(0));
        let clock = day.clone();
        let bench = Bench::with(move |settings| {
            settings.clock = Arc::new(move || Time {
                seconds: 1_700_000_000 + DAY * clock.load(Ordering::Relaxed),
                nanos: 0,
                offset: 0,
            });
        });
        std::fs::write(bench.path("password"), PASSWORD).unwrap();
        let mut text =
            "[vaults.home]\npath = 'v'\npassword-file = 'password'\nprice = 'aws-s3-standard-us-east-1'\n".to_owned();
        for plan in ["one", "two"] {
            std::fs::create_dir_all(bench.path(plan).join("sub")).unwrap();
            let path = bench.path(plan).display().to_string();
            text += &format!("[plans.{plan}]\npaths = ['{path}']\nvault = 'home'\n");
        }
        let config = Config::parse(&text, &bench.path("config.toml")).unwrap();
        bench.engine.set_config(config);
        bench
            .engine
            .create("home", PasswordGiven::Configured, &test_options(2))
            .unwrap();
        Story { bench, day }
    }

    /// Ten days of two plans: files that stay, that change each time, that come and go, and that both plans have.
    fn ten_days() -> Story {
        let story = Story::new();
        for day in 0..10u32 {
            for (n, plan) in ["one", "two"].into_iter().enumerate() {
                let seed = |what: u32| what * 1000 + n as u32;
                story.write(plan, "stays", &noise(seed(1), 60_000));
                story.write(plan, "shared", &noise(5, 20_000));
                story.write(plan, "changes", &noise(seed(100 + day), 30_000 + day as usize * 100));
                story.write(plan, "sub/slow", &noise(seed(200 + day / 4), 25_000));
                story.write(plan, &format!("sub/only-{day}"), &noise(seed(300 + day), 4_000));
                let _ = std::fs::remove_file(story.bench.path(plan).join(format!("sub/only-{}", day.wrapping_sub(2))));
                story.backup(plan);
            }
            story.day.fetch_add(1, Ordering::Relaxed);
        }
        story
    }

    fn write(&self, plan: &str, name: &str, content: &[u8]) {
        std::fs::write(self.bench.path(plan).join(name), content).unwrap();
    }

    fn backup(&self, plan: &str) {
        let task = Task::Plan {
            plan: plan.into(),
            vault: None,
            dry_run: false,
        };
        self.bench.engine.start(task).unwrap().wait().unwrap();
    }

    fn open(&self) -> Arc<OpenVault> {
        self.bench.engine.open("home", PasswordGiven::Configured).unwrap()
    }

    fn what_if(&self, rule: StayRule, go: &[Id]) -> WhatIf {
        let question = Question::WhatIf(asked(rule, go));
        match answer(&self.bench.engine, question) {
            Answer::WhatIf(found) => *found,
            other => panic!("{other:?}"),
        }
    }

    /// Newest first.
    fn ids(&self) -> Vec<Id> {
        let open = self.open();
        let generations = self.bench.engine.generations(&open).unwrap();
        generations.iter().map(|one| one.id).collect()
    }

    /// Sizes of the packs on disk.
    fn packs(&self) -> u64 {
        let mut sum = 0;
        let open = self.open();
        open.vault()
            .storage()
            .list(FileKind::Pack, &mut |_, size| sum += size)
            .unwrap();
        sum
    }

    /// The files of each generation: path, and the blobs of what it holds.
    fn files(&self) -> BTreeMap<Id, BTreeSet<(TreePath, Vec<Id>)>> {
        let open = self.open();
        let indexed = open.indexed(&Cancel::default()).unwrap();
        let mut all = BTreeMap::new();
        for generation in open.vault().generations().unwrap() {
            let mut files = BTreeSet::new();
            let progress = Progress::default();
            list(
                &indexed,
                &generation.tree,
                b"",
                Depth::All,
                &progress,
                &Cancel::default(),
                &mut |entry| {
                    let content = entry.node.content.clone().filter(|content| !content.is_empty());
                    files.extend(content.map(|content| (answers::to_path(entry.path), content)));
                    Ok(())
                },
            )
            .unwrap();
            all.insert(generation.id, files);
        }
        all
    }

    /// The different blobs of some generations, with their bytes as sealed.
    fn blobs(&self, ids: &[Id]) -> BTreeMap<(BlobKind, Id), u64> {
        let open = self.open();
        let indexed = open.indexed(&Cancel::default()).unwrap();
        let mut blobs = BTreeMap::new();
        for generation in open
            .vault()
            .generations()
            .unwrap()
            .iter()
            .filter(|one| ids.contains(&one.id))
        {
            let mut todo = vec![generation.tree];
            while let Some(tree) = todo.pop() {
                if blobs.contains_key(&(BlobKind::Tree, tree)) {
                    continue;
                }
                let mut add = |kind, id| {
                    let location = indexed.index().find(kind, &id).unwrap();
                    let entry = if location.uncompressed.is_some() { 41 } else { 37 };
                    blobs.insert((kind, id), u64::from(location.length) + entry);
                };
                add(BlobKind::Tree, tree);
                for node in indexed.tree(&tree).unwrap().nodes {
                    todo.extend(node.subtree);
                    node.content
                        .into_iter()
                        .flatten()
                        .for_each(|id| add(BlobKind::Data, id));
                }
            }
        }
        blobs
    }
}

use super::super::answers;

/// Bytes that no compression makes smaller.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(2_862_933_555_777_941_757) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn asked(rule: StayRule, go: &[Id]) -> WhatIfAsked {
    WhatIfAsked {
        vault: "home".into(),
        rule,
        go: go.to_vec(),
        price: None,
        every_hours: None,
    }
}

fn policy(change: impl FnOnce(&mut Policy)) -> StayRule {
    let mut policy = Policy::default();
    change(&mut policy);
    StayRule::Policy(Box::new(policy), GroupBy::HOST_AND_PATHS)
}

/// By hand: 0.023 USD for 2^30 bytes a month, in billionths of a dollar.
fn rate(bytes: u64) -> i128 {
    (i128::from(bytes) * 23_000_000 + (1 << 29)) >> 30
}

fn goes(found: &WhatIf) -> Vec<Id> {
    let gone = found.fates.iter().filter(|fate| !fate.stays);
    gone.map(|fate| fate.id).collect()
}

#[test]
fn a_what_if_foresees_what_forget_and_prune_do() {
    let story = Story::ten_days();
    let before = story.packs();
    let all = story.ids();
    let found = story.what_if(policy(|policy| policy.last = Some(Many::Of(3))), &[all[2]]);
    // Three of each plan stay, but for one marked by hand.
    let gone = goes(&found);
    assert_eq!((found.fates.len(), gone.len(), found.after.generations), (20, 15, 5));
    assert!(gone.contains(&all[2]));
    assert_eq!((found.now.stored, found.now.generations), (before, 20));

    let kept: Vec<Id> = all.iter().copied().filter(|id| !gone.contains(id)).collect();
    let (every, left) = (story.blobs(&all), story.blobs(&kept));
    let sum = |kind, blobs: &BTreeMap<(BlobKind, Id), u64>| -> u64 {
        blobs
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|(_, bytes)| bytes)
            .sum()
    };
    let bytes = |blobs| sum(BlobKind::Data, blobs) + sum(BlobKind::Tree, blobs);
    assert_eq!(found.freed.stored, bytes(&every) - bytes(&left));
    assert_eq!(
        found.freed.data_blobs + found.freed.tree_blobs,
        (every.len() - left.len()) as u64
    );
    for (side, blobs) in [(&found.now, &every), (&found.after, &left)] {
        assert_eq!(
            (side.data, side.folders),
            (sum(BlobKind::Data, blobs), sum(BlobKind::Tree, blobs))
        );
        assert_eq!(side.unused, side.stored - side.data - side.folders);
    }
    // Days of both: the newest of one plan, a day between neighbours but where one is missing.
    assert_eq!(found.now.oldest, Some(1_700_000_000));
    assert_eq!(
        (found.now.largest_gap, found.after.largest_gap),
        (Some(DAY), Some(2 * DAY))
    );

    let outcome = story.bench.engine.start(Task::Forget {
        vault: "home".into(),
        ids: gone,
        prune: Some(PruneOptions::default()),
    });
    outcome.unwrap().wait().unwrap();
    assert_eq!(
        (found.after.stored, found.reclaimed),
        (story.packs(), before - story.packs())
    );
    let settled = story.what_if(StayRule::All, &[]);
    assert_eq!(
        (settled.now.stored, settled.after.stored),
        (story.packs(), story.packs())
    );
    assert_eq!((settled.freed, settled.lost), (Default::default(), (0, 0)));
    assert_eq!(settled.now.data, found.after.data);
}

#[test]
fn bills_are_those_worked_out_by_hand() {
    let story = Story::ten_days();
    let found = story.what_if(policy(|policy| policy.last = Some(Many::Of(2))), &[]);
    for side in [&found.now, &found.after] {
        let bill = side.monthly.as_ref().unwrap();
        assert!((bill.total.nanos - rate(side.stored)).abs() <= 1, "{bill:?}");
    }
    let saved = found.saved.unwrap();
    assert!(saved.nanos > 0 && (saved.nanos - rate(found.now.stored - found.after.stored)).abs() <= 1);
    let once = found.one_off.as_ref().unwrap();
    let months = once.total.nanos as f64 / saved.nanos as f64;
    assert!((found.payback_months.unwrap() - months).abs() < 1e-9);
    // Another place: everything is read once there, and the savings are those of both.
    let mut moved = asked(StayRule::All, &[]);
    moved.price = Some("cloudflare-r2-standard".into());
    let Answer::WhatIf(moved) = answer(&story.bench.engine, Question::WhatIf(moved)) else {
        panic!("no answer")
    };
    assert_ne!(moved.now.price, moved.after.price);
    assert!(
        moved.notes.iter().any(|note| note.contains("one copy")),
        "{:?}",
        moved.notes
    );
    let mut unknown = asked(StayRule::All, &[]);
    unknown.price = Some("aws-s3-standard-us-east-2".into());
    let told = answer(&story.bench.engine, Question::WhatIf(unknown));
    assert!(
        matches!(&told, Answer::Failed(text) if text.contains("aws-s3-standard-us-east-2")),
        "{told:?}"
    );
}

#[test]
fn the_next_year_follows_the_rule_and_the_schedule() {
    let story = Story::ten_days();
    let found = story.what_if(policy(|policy| policy.last = Some(Many::Of(3))), &[]);
    let ahead = found.projection.unwrap();
    assert_eq!(
        (ahead.now.len(), ahead.after.len(), ahead.now_monthly.len()),
        (12, 12, 12)
    );
    assert_eq!((ahead.past.last(), ahead.error), (Some(&found.now.stored), None));
    // Each day brings what changes, and a fourth of what is slow: of both plans about 2 × 42 kB.
    let grown = ahead.now[11].likely - found.now.stored;
    let expected = 365 * 2 * (30_500 + 4_000 + 25_000 / 4);
    assert!(
        grown > expected * 9 / 10 && grown < expected * 13 / 10,
        "{grown} {expected}"
    );
    // With three of each nothing grows any more: what a day brings, the fourth one loses.
    let after = found.after.stored;
    assert!(
        ahead.after[11].likely < after * 3 / 2 && ahead.after[0].likely > after * 2 / 3,
        "{:?}",
        ahead.after[11]
    );
    for month in ahead.now.iter().chain(&ahead.after) {
        assert!(month.low <= month.likely && month.likely <= month.high);
    }
    let mut seldom = asked(StayRule::All, &[]);
    seldom.every_hours = Some(96.0);
    let Answer::WhatIf(seldom) = answer(&story.bench.engine, Question::WhatIf(seldom)) else {
        panic!("no answer")
    };
    let seldom = seldom.projection.unwrap();
    assert_eq!(seldom.now, ahead.now);
    // Of four changing versions one or two are met.
    let fewer = seldom.after[11].likely - found.now.stored;
    assert!(fewer < grown * 2 / 3 && fewer > grown / 5, "{fewer} {grown}");
}

#[test]
fn what_would_be_lost_is_the_difference_of_sets() {
    let story = Story::ten_days();
    let all = story.ids();
    let files = story.files();
    for keep in [3, 7, 12] {
        let go: Vec<Id> = all
            .iter()
            .copied()
            .enumerate()
            .filter(|(n, _)| n % keep != 0)
            .map(|(_, id)| id)
            .collect();
        let kept: Vec<Id> = all.iter().copied().filter(|id| !go.contains(id)).collect();
        let held: BTreeSet<&Vec<Id>> = kept
            .iter()
            .flat_map(|id| &files[id])
            .map(|(_, content)| content)
            .collect();
        let gone = go.iter().flat_map(|id| &files[id]);
        let lost: BTreeSet<&(TreePath, Vec<Id>)> = gone.filter(|(_, content)| !held.contains(content)).collect();
        let contents: BTreeSet<&Vec<Id>> = lost.iter().map(|(_, content)| content).collect();

        let rule = StayRule::Without(go.clone());
        assert_eq!(story.what_if(rule.clone(), &[]).lost.0, contents.len() as u64);
        let window = |first, rows| {
            let question = Question::Lost(LostAsked {
                what_if: asked(rule.clone(), &[]),
                first,
                rows,
            });
            match answers(&story.bench.engine, question).pop() {
                Some(Answer::Lost(window)) => window,
                other => panic!("{other:?}"),
            }
        };
        let found: LostWindow = window(0, 1000);
        assert!(
            found.whole && found.total == lost.len() as u64,
            "{} {}",
            found.total,
            lost.len()
        );
        let paths: Vec<&TreePath> = found.rows.iter().map(|row| &row.path).collect();
        let mut expected: Vec<&TreePath> = lost.iter().map(|(path, _)| path).collect();
        expected.sort();
        assert_eq!(paths, expected);
        for row in &found.rows {
            let holds = |id: &&Id| {
                files[*id]
                    .iter()
                    .any(|(path, content)| *path == row.path && !held.contains(content))
            };
            // The newest of those that go and have something there that is lost; with one version a path, just that one.
            let versions = found.rows.iter().filter(|other| other.path == row.path).count();
            if versions == 1 {
                assert_eq!(go.iter().find(holds), Some(&row.generation));
            }
            let other = kept
                .iter()
                .any(|id| files[id].iter().any(|(path, _)| *path == row.path));
            assert_eq!(row.other_kept, other, "{:?}", row.path);
        }
        assert_eq!(window(5, 3).rows, found.rows[5..8]);
    }
}

#[test]
fn each_generation_has_its_share() {
    let story = Story::ten_days();
    let ids = story.ids();
    let Answer::GenerationCosts(GenerationCosts { rows, .. }) =
        answer(&story.bench.engine, Question::GenerationCosts { vault: "home".into() })
    else {
        panic!("no answer")
    };
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
    let all = story.blobs(&ids);
    for (n, row) in rows.iter().enumerate() {
        let others: Vec<Id> = ids.iter().copied().filter(|id| *id != row.id).collect();
        let others = story.blobs(&others);
        let alone: u64 = all
            .iter()
            .filter(|(blob, _)| !others.contains_key(blob))
            .map(|(_, bytes)| bytes)
            .sum();
        assert_eq!(row.exclusive, alone, "generation {n}");
        assert!(row.added >= row.exclusive || n > 0);
        assert!(row.monthly.is_some());
    }
    assert_eq!(rows.iter().map(|row| row.added).sum::<u64>(), all.values().sum::<u64>());
}

#[test]
fn budgets_hold_and_no_more_goes_than_they_need() {
    let story = Story::ten_days();
    let now = story.what_if(StayRule::All, &[]).now.stored;
    let budget = now * 2 / 3;
    let found = story.what_if(policy(|policy| policy.fit = Some(Budget::Size(budget))), &[]);
    let gone = goes(&found);
    assert!(
        found.after.stored <= budget && !gone.is_empty(),
        "{} of {budget}",
        found.after.stored
    );
    // One that went less would be too much: the last to leave is the one that is worth most.
    assert!(
        found.notes.iter().any(|note| note.contains("for the budget")),
        "{:?}",
        found.notes
    );
    let tiny = story.what_if(policy(|policy| policy.fit = Some(Budget::Size(1))), &[]);
    assert_eq!((tiny.after.generations, goes(&tiny).len()), (2, 18));
    assert!(
        tiny.notes.iter().any(|note| note.contains("cannot be kept")),
        "{:?}",
        tiny.notes
    );
    // The same in money.
    let money = crate::cost::Money {
        nanos: rate(budget),
        currency: crate::cost::Currency::USD,
    };
    let paid = story.what_if(policy(|policy| policy.fit = Some(Budget::Cost(money))), &[]);
    assert_eq!(goes(&paid), gone);
}

#[test]
fn what_is_protected_stays_and_what_makes_no_sense_is_told() {
    let story = Story::ten_days();
    let ids = story.ids();
    let tag = Task::Tag {
        vault: "home".into(),
        ids: vec![ids[19]],
        change: TagChange::Add(vec!["protected".into()]),
    };
    let TaskOutcome::Tag(changed) = story.bench.engine.start(tag).unwrap().wait().unwrap() else {
        panic!("not tagged")
    };
    let protected = changed[0].1;
    let found = story.what_if(policy(|policy| policy.last = Some(Many::Of(1))), &[protected]);
    assert_eq!(found.after.generations, 3);
    assert!(found.fates.iter().any(|fate| fate.id == protected && fate.stays));
    assert!(
        found.notes.iter().any(|note| note.contains("protected")),
        "{:?}",
        found.notes
    );
    // All of the other series: nothing would be left of it.
    let holds = found.fates.iter().find(|fate| fate.id == protected);
    let series = holds.map(|fate| fate.paths.clone()).unwrap();
    let one: Vec<Id> = found
        .fates
        .iter()
        .filter(|fate| fate.paths != series)
        .map(|fate| fate.id)
        .collect();
    let emptied = story.what_if(StayRule::Without(one), &[]);
    assert!(
        emptied
            .notes
            .iter()
            .any(|note| note.contains("nothing would be left of")),
        "{:?}",
        emptied.notes
    );
    for (rule, go, words) in [
        (StayRule::All, vec![Id([9; 32])], "no generation"),
        (policy(|_| {}), vec![], "says nothing"),
    ] {
        let told = answer(&story.bench.engine, Question::WhatIf(asked(rule, &go)));
        assert!(
            matches!(&told, Answer::Failed(text) if text.contains(words)),
            "{told:?}"
        );
    }
}

#[test]
fn vaults_are_priced_without_being_opened() {
    let story = Story::ten_days();
    story.what_if(StayRule::All, &[]);
    let other = Engine::new(settings(story.bench.folder.path(), |_| {})).unwrap();
    let mut config = (*story.bench.engine.config()).clone();
    config.vaults[0].password = None;
    other.set_config(config);
    let Answer::VaultCosts(costs) = answer(&other, Question::VaultCosts) else {
        panic!("no answer")
    };
    let cost = &costs[0];
    assert_eq!((cost.vault.as_str(), cost.stored), ("home", Some(story.packs())));
    assert!((cost.monthly.unwrap().nanos - rate(story.packs())).abs() <= 1);
    assert_eq!(cost.trend.last(), Some(&story.packs()));
    assert!(cost.price.is_some());
}

#[test]
fn plans_and_folders_that_make_a_vault_grow() {
    let story = Story::ten_days();
    let (open, ids) = (story.open(), story.ids());
    let engine = &story.bench.engine;
    let plans = engine.plan_shares(&open, "home", &Cancel::default()).unwrap();
    assert_eq!(plans.len(), 2);
    for plan in &plans {
        let paths = plan.key.paths.clone().unwrap();
        let generations = open.vault().generations().unwrap();
        let (own, others): (Vec<&Generation>, Vec<&Generation>) =
            generations.iter().partition(|one| one.paths == paths);
        let ids = |of: &[&Generation]| of.iter().map(|one| one.id).collect::<Vec<_>>();
        let (own, others) = (story.blobs(&ids(&own)), story.blobs(&ids(&others)));
        assert_eq!(plan.stored, own.values().sum::<u64>());
        let alone = own.iter().filter(|(blob, _)| !others.contains_key(blob));
        assert_eq!(plan.exclusive, alone.map(|(_, bytes)| bytes).sum::<u64>());
    }
    // All folders down to the files, from where the two plans part on.
    let folders = engine.folder_shares(&open, 30, &Cancel::default()).unwrap();
    let top = folders.iter().min_by_key(|share| share.path.len()).unwrap();
    assert_eq!(
        answers::to_path(story.bench.folder.path().as_os_str().as_encoded_bytes()),
        top.path
    );
    // The folders above it are not in these figures: a few bytes for each.
    let (all, newest) = (story.blobs(&ids), story.blobs(&ids[..2]));
    let above = |sum: u64, figure: u64, trees: u64| sum > figure && sum - figure < 1000 * trees;
    assert!(above(all.values().sum(), top.all, 20 * 5) && above(newest.values().sum(), top.newest, 2 * 5));
    assert_eq!(top.old, top.all - top.newest);
    assert_eq!(
        engine.folder_shares(&open, 0, &Cancel::default()).unwrap(),
        std::slice::from_ref(top)
    );
    // Of `sub`: two versions of `slow` beside the newest, and the files that came and went.
    let sub = folders
        .iter()
        .find(|share| share.path.last().is_some_and(|name| name == b"sub"))
        .unwrap();
    assert!(sub.old > 2 * 25_000 && sub.newest < 40_000, "{sub:?}");
}

#[test]
fn a_restore_is_told_before_it_is_made() {
    let story = Story::ten_days();
    let open = story.open();
    let engine = &story.bench.engine;
    let all = engine.generations(&open).unwrap();
    let newest = all.into_iter().find(|one| one.paths[0].ends_with("two")).unwrap();
    let cost = engine
        .restore_cost(&open, "home", &newest, b"", &Cancel::default())
        .unwrap();
    let blobs = story.blobs(&[newest.id]);
    let data = blobs.keys().filter(|(kind, _)| *kind == BlobKind::Data).count();
    assert_eq!(cost.folders as usize, blobs.len() - data);
    assert!(
        cost.content.reads as usize <= data && cost.content.files == 6,
        "{cost:?}"
    );
    assert!(cost.fetched >= blobs.values().map(|bytes| bytes - 41).sum::<u64>());
    assert!(cost.bill.unwrap().total.nanos > 0);
    let path = story.bench.path("two").join("sub/slow").display().to_string();
    let part = engine
        .restore_cost(&open, "home", &newest, path.as_bytes(), &Cancel::default())
        .unwrap();
    assert_eq!(
        (part.content.files, part.content.bytes, part.content.reads),
        (1, 25_000, 1)
    );
}
