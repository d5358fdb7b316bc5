//! The tables, a step for each version of the file (`user_version`).

/// Marks the file as ours (`application_id`): "Cofr".
pub(super) const APPLICATION: i64 = 0x436f_6672;

/// What brings a file from version `n` to `n + 1`, for each `n`. Never change a step that was released: add one. Trees are
/// rebuildable: a step that needs more of them than was kept may drop them.
pub(super) const STEPS: &[&str] = &[
    "
    CREATE TABLE vaults (
        vault INTEGER PRIMARY KEY,
        place TEXT NOT NULL UNIQUE,
        id TEXT NOT NULL,
        name TEXT,
        seen INTEGER NOT NULL,
        stored INTEGER
    ) STRICT;
    CREATE TABLE generations (
        vault INTEGER NOT NULL,
        id BLOB NOT NULL,
        time INTEGER NOT NULL,
        nanos INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (vault, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE trees (
        tree INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        here_folders INTEGER NOT NULL,
        here_others INTEGER NOT NULL,
        files INTEGER,
        folders INTEGER,
        bytes INTEGER
    ) STRICT;
    CREATE TABLE nodes (
        tree INTEGER NOT NULL,
        n INTEGER NOT NULL,
        name BLOB NOT NULL,
        kind INTEGER NOT NULL,
        mode INTEGER NOT NULL,
        size INTEGER NOT NULL,
        mtime INTEGER NOT NULL,
        nanos INTEGER NOT NULL,
        zone INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        gid INTEGER NOT NULL,
        subtree BLOB,
        target BLOB,
        PRIMARY KEY (tree, n)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE jobs (
        job INTEGER PRIMARY KEY,
        run TEXT NOT NULL,
        kind TEXT NOT NULL,
        vault TEXT NOT NULL,
        plan TEXT,
        started INTEGER NOT NULL,
        started_nanos INTEGER NOT NULL,
        zone INTEGER NOT NULL,
        ended INTEGER,
        ended_nanos INTEGER,
        state TEXT NOT NULL,
        files INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        problems INTEGER NOT NULL,
        issues INTEGER NOT NULL,
        text TEXT NOT NULL,
        exit INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE issues (
        job INTEGER NOT NULL,
        n INTEGER NOT NULL,
        path BLOB NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (job, n)
    ) STRICT, WITHOUT ROWID;
",
    "
    DELETE FROM nodes;
    DELETE FROM trees;
    ALTER TABLE nodes ADD COLUMN content INTEGER;
    ALTER TABLE trees ADD COLUMN largest INTEGER NOT NULL DEFAULT 0;
",
    // Names are numbered once; a number is never given twice, so that names kept in memory cannot come to mean others.
    "
    DELETE FROM nodes;
    DELETE FROM trees;
    CREATE INDEX nodes_up ON nodes (subtree, name) WHERE subtree IS NOT NULL;
    CREATE TABLE names (
        name INTEGER PRIMARY KEY AUTOINCREMENT,
        bytes BLOB NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE held (
        name INTEGER NOT NULL,
        tree INTEGER NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (name, tree, n)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE generations ADD COLUMN tree BLOB;
    ALTER TABLE generations ADD COLUMN kin TEXT NOT NULL DEFAULT '';
    UPDATE generations SET tree = unhex(json_extract(body, '$.tree')),
        kin = coalesce(json_extract(body, '$.hostname'), '') || char(10) || coalesce(json_extract(body, '$.paths'), '[]');
    CREATE TABLE about (
        epoch INTEGER NOT NULL,
        sweep INTEGER NOT NULL
    ) STRICT;
    INSERT INTO about (epoch, sweep) VALUES (random(), 1);
",
    "
    ALTER TABLE jobs ADD COLUMN title TEXT NOT NULL DEFAULT '';
    CREATE TABLE log (
        job INTEGER NOT NULL,
        n INTEGER NOT NULL,
        time INTEGER NOT NULL,
        nanos INTEGER NOT NULL,
        zone INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (job, n)
    ) STRICT, WITHOUT ROWID;
",
];

/// The tables that a file of the newest version must have.
pub(super) const TABLES: &[&str] = &[
    "about",
    "generations",
    "held",
    "issues",
    "jobs",
    "log",
    "names",
    "nodes",
    "trees",
    "vaults",
];
