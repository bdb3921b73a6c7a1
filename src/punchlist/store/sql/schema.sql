-- The state of a workspace as it is now; migrations/ is the road to it, and a test compares the two.
-- Ids are text as people type them, `number` is the number in them: it gives the order. `doc` is a record as JSON.

create table streams (
    uuid text primary key,
    kind text not null check (kind in ('workspace', 'project', 'task', 'run')),
    local text not null,
    n integer not null,
    hash text not null,
    unique (kind, local)
) strict, without rowid;

create table events (
    seq integer primary key autoincrement,
    stream text not null references streams (uuid),
    n integer not null,
    at text not null,
    kind text not null,
    actor text not null,
    data text not null,
    prev text not null,
    hash text not null,
    unique (stream, n)
) strict;

create table counters (
    kind text primary key,
    next integer not null
) strict, without rowid;

create table projects (
    id text primary key,
    doc text not null
) strict, without rowid;

-- What a list shows, apart from the documents: reading 10,000 lines must not read 10,000 specs.
create table tasks (
    number integer primary key,
    id text not null unique,
    project text not null references projects (id) deferrable initially deferred,
    title text not null,
    status text not null,
    paused integer not null,
    steps_accepted integer not null,
    steps_total integer not null,
    changed_at text not null,
    steps_skipped integer not null default 0
) strict;

create index tasks_by_project on tasks (project);

create index tasks_by_status on tasks (status);

create index tasks_paused on tasks (paused) where paused = 1;

create table task_states (
    id text primary key references tasks (id),
    doc text not null
) strict, without rowid;

-- What a project's own files say of its tasks, for the same reason.
create table task_scores (
    number integer primary key references tasks (number),
    project text not null references projects (id) deferrable initially deferred,
    doc text not null
) strict;

create index task_scores_by_project on task_scores (project);

create table runs (
    number integer primary key,
    id text not null unique,
    project text references projects (id) deferrable initially deferred,
    task text references tasks (id) deferrable initially deferred,
    status text not null,
    doc text not null
) strict;

create index runs_by_task on runs (task) where task is not null;

create index runs_live on runs (status) where status in ('pending', 'running', 'waiting');

-- `position` grows as nodes are first written; writing one again leaves it.
create table nodes (
    position integer primary key,
    run text not null references runs (id) deferrable initially deferred,
    path text not null,
    doc text not null,
    unique (run, path)
) strict;

create index nodes_in_order on nodes (run);

create table attempts (
    number integer primary key,
    id text not null unique,
    run text not null references runs (id) deferrable initially deferred,
    step text,
    doc text not null
) strict;

create index attempts_by_run on attempts (run);

create index attempts_by_step on attempts (step) where step is not null;

-- What a check said of a tree, for whoever is about to run the same one on it.
create index attempts_by_exam on attempts (json_extract(doc, '$.outcome.exam'))
where json_extract(doc, '$.outcome.exam') is not null;

-- What waits for its time: a quota's reset, or the delay between two tries.
create index attempts_parked on attempts (json_extract(doc, '$.not_before'))
where json_extract(doc, '$.status') = 'queued' and json_extract(doc, '$.not_before') is not null;

-- What has not ended: the places that limits leave are counted by these.
create index attempts_live on attempts (json_extract(doc, '$.status'))
where json_extract(doc, '$.status') = 'queued' or json_extract(doc, '$.status') = 'running';

create table gates (
    number integer primary key,
    id text not null unique,
    kind text not null,
    status text not null,
    project text references projects (id) deferrable initially deferred,
    task text references tasks (id) deferrable initially deferred,
    run text references runs (id) deferrable initially deferred,
    doc text not null
) strict;

create index gates_open on gates (status) where status = 'open';

create index gates_by_task on gates (task) where task is not null;

create index gates_by_run on gates (run) where run is not null;

create table inbox (
    number integer primary key autoincrement,
    at text not null,
    actor text not null,
    command text not null,
    key text unique,
    state text not null default 'pending' check (state in ('pending', 'done', 'refused')),
    answer text not null default 'null'
) strict;

create index inbox_pending on inbox (state) where state = 'pending';

create table remembered (
    key text primary key,
    answer text not null
) strict, without rowid;

-- How far files for other programs were read and written.
create table cursors (
    name text primary key,
    doc text not null
) strict, without rowid;

-- What lines of the inbox file were answered, until it stands in the outbox file; `after` is the last event before it.
create table replies (
    number integer primary key autoincrement,
    after integer not null,
    line text not null
) strict;

-- Lines of the inbox file that are answered later, in the order in which they were taken.
create table open_lines (
    number integer primary key autoincrement,
    doc text not null
) strict;

-- What a callback is still to be told, and what it was told in vain.
create table deliveries (
    number integer primary key autoincrement,
    id text not null unique,
    state text not null check (state in ('due', 'given_up')),
    doc text not null
) strict;

create index deliveries_by_state on deliveries (state);
