-- One text for both databases. {bytes} is the collation that orders text by its bytes, and a line that begins
-- with "--pg " runs on PostgreSQL only. JSON is kept as text: it is written and read whole, byte for byte.

CREATE TABLE accounts (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_ms BIGINT NOT NULL
);

CREATE TABLE keys (
    secret_id TEXT {bytes} NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    secret_key TEXT NOT NULL,
    state BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    comment TEXT NOT NULL
);
CREATE INDEX keys_account ON keys (account, created_ms);

CREATE TABLE buckets (
    name TEXT {bytes} NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    region TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);
CREATE INDEX buckets_account ON buckets (account, name);

CREATE TABLE objects (
    bucket TEXT {bytes} NOT NULL,
    key TEXT {bytes} NOT NULL,
    version BIGINT NOT NULL,
    blob_path TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    etag TEXT NOT NULL,
    md5 TEXT NOT NULL,
    content_type TEXT NOT NULL,
    meta TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (bucket, key)
);

-- Blobs that no object shows any more; the files are removed after a while.
CREATE TABLE dead_blobs (
    blob_path TEXT {bytes} NOT NULL PRIMARY KEY,
    since_ms BIGINT NOT NULL
);
CREATE INDEX dead_blobs_since ON dead_blobs (since_ms);

CREATE TABLE uploads (
    id TEXT {bytes} NOT NULL PRIMARY KEY,
    bucket TEXT {bytes} NOT NULL,
    key TEXT {bytes} NOT NULL,
    state BIGINT NOT NULL,
    content_type TEXT NOT NULL,
    meta TEXT NOT NULL,
    etag TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    finished_ms BIGINT
);
CREATE INDEX uploads_key ON uploads (bucket, key, id);

CREATE TABLE parts (
    upload TEXT {bytes} NOT NULL,
    number BIGINT NOT NULL,
    blob_path TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    etag TEXT NOT NULL,
    md5 TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (upload, number)
);

CREATE TABLE object_events (
    id BIGINT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    bucket TEXT {bytes} NOT NULL,
    key TEXT {bytes} NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    etag TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE templates (
    account BIGINT NOT NULL,
    family TEXT {bytes} NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (account, family, id)
);

CREATE TABLE counters (
    family TEXT {bytes} NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE tasks (
    id BIGINT NOT NULL PRIMARY KEY,
    public_id TEXT {bytes} NOT NULL,
    account BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    session_id TEXT NOT NULL,
    session_context TEXT NOT NULL,
    request TEXT NOT NULL,
    notify TEXT,
    notify_mode BIGINT NOT NULL,
    metadata TEXT,
    failure TEXT,
    has_failed_step BOOLEAN NOT NULL,
    aborted BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL,
    begun_ms BIGINT,
    finished_ms BIGINT,
    answer TEXT
);
CREATE INDEX tasks_listed ON tasks (account, state, id);

CREATE TABLE steps (
    id BIGINT NOT NULL PRIMARY KEY,
    task BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    kind TEXT NOT NULL,
    cap BIGINT NOT NULL,
    prio BIGINT NOT NULL,
    tag BIGINT NOT NULL,
    state BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    losses BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    progress BIGINT NOT NULL,
    is_gate BOOLEAN NOT NULL,
    needs TEXT NOT NULL,
    params TEXT NOT NULL,
    result TEXT,
    failure TEXT,
    run_after BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    begun_ms BIGINT,
    finished_ms BIGINT
);
CREATE UNIQUE INDEX steps_task ON steps (task, ordinal);
CREATE INDEX steps_ready ON steps (cap, prio DESC, tag, id) WHERE state = 1;
CREATE INDEX steps_delayed ON steps (run_after) WHERE state = 2;
CREATE INDEX steps_lease ON steps (lease_until) WHERE state = 3;
--pg ALTER TABLE steps SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- Fair share: where the account's line ends, per priority, and how far each priority has been served.
CREATE TABLE tails (
    account BIGINT NOT NULL,
    prio BIGINT NOT NULL,
    tail BIGINT NOT NULL,
    PRIMARY KEY (account, prio)
);
CREATE TABLE floors (
    prio BIGINT NOT NULL PRIMARY KEY,
    tag BIGINT NOT NULL
);

CREATE TABLE sessions (
    account BIGINT NOT NULL,
    session_id TEXT {bytes} NOT NULL,
    task BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (account, session_id)
);
CREATE INDEX sessions_at ON sessions (at_ms);

CREATE TABLE callbacks (
    id BIGINT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL,
    task BIGINT NOT NULL,
    account BIGINT NOT NULL,
    destination TEXT {bytes} NOT NULL,
    target TEXT NOT NULL,
    body TEXT NOT NULL,
    state BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    finished_ms BIGINT,
    last_error TEXT NOT NULL
);
CREATE INDEX callbacks_due ON callbacks (destination, due_ms) WHERE state = 1;
CREATE INDEX callbacks_task ON callbacks (task, id) WHERE state IN (0, 1);
CREATE INDEX callbacks_finished ON callbacks (finished_ms) WHERE state >= 2;

CREATE TABLE usage (
    id BIGINT NOT NULL PRIMARY KEY,
    account BIGINT NOT NULL,
    task BIGINT NOT NULL,
    step BIGINT NOT NULL,
    item TEXT NOT NULL,
    amount BIGINT NOT NULL,
    unit TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX usage_account ON usage (account, at_ms);
