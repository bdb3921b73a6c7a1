-- Every statement that the store runs on its tables, by name. Values are bound by name.

-- == streams and events ==

-- name: head_of
select uuid, n, hash from streams where kind = :kind and local = :local;

-- name: list_streams
select uuid, kind, local, n, hash from streams order by kind = 'workspace' desc, kind, length(local), local;

-- name: open_stream
insert into streams (uuid, kind, local, n, hash) values (:stream, :kind, :local, 0, :zero)
on conflict (kind, local) do nothing;

-- name: stream_of
select uuid, kind, local, n, hash from streams where uuid = :stream;

-- The guard of every change: a stream that is not where the event says it is stays as it is, and that is a conflict.
-- name: move_head
update streams set n = :n, hash = :hash where uuid = :stream and n = :was and hash = :prev;

-- name: append_event
insert into events (stream, n, at, kind, actor, data, prev, hash)
values (:stream, :n, :at, :kind, :actor, :data, :prev, :hash);

-- name: last_row
select last_insert_rowid();

-- name: events_after
select seq, stream, n, at, kind, actor, data, prev, hash from events where seq > :after order by seq limit :most;

-- name: events_of_stream
select seq, stream, n, at, kind, actor, data, prev, hash from events
where stream = :stream and seq > :after order by n limit :most;

-- == the log as bytes, so that damaged text can be named ==

-- name: raw_streams
select cast(uuid as blob), cast(kind as blob), cast(local as blob), n, cast(hash as blob) from streams
order by kind = 'workspace' desc, kind, length(local), local;

-- name: raw_events
select seq, n, cast(at as blob), cast(kind as blob), cast(actor as blob), cast(data as blob), cast(prev as blob),
    cast(hash as blob)
from events where stream = cast(:stream as text) order by n;

-- name: event_at
select seq, cast(hash as blob) from events where stream = :stream and n = :n;

-- name: raw_orphans
select cast(stream as blob), min(n), min(seq) from events
where not exists (select 1 from streams where streams.uuid = events.stream) group by stream order by min(seq);

-- name: first_gap
select gap from (
    select 1 as gap where not exists (select 1 from events where seq = 1) and exists (select 1 from events)
    union all
    select seq + 1 from events as held
    where not exists (select 1 from events where seq = held.seq + 1)
        and held.seq < (select max(seq) from events)
) order by gap limit 1;

-- == ids ==

-- name: allocate
insert into counters (kind, next) values (:kind, 2)
on conflict (kind) do update set next = next + 1
returning next - 1;

-- == state rows ==

-- name: put_project
insert into projects (id, doc) values (:id, :doc)
on conflict (id) do update set doc = excluded.doc;

-- name: get_project
select doc from projects where id = :id;

-- name: list_projects
select doc from projects order by id;

-- name: project_ids_after
select id from projects where id > :after order by id limit :most;

-- name: put_task
insert into tasks (number, id, project, title, status, paused, steps_accepted, steps_total, changed_at, steps_skipped)
values (:number, :id, :project, :title, :status, :paused, :steps_accepted, :steps_total, :changed_at, :steps_skipped)
on conflict (number) do update set project = excluded.project, title = excluded.title, status = excluded.status,
    paused = excluded.paused, steps_accepted = excluded.steps_accepted, steps_total = excluded.steps_total,
    changed_at = excluded.changed_at, steps_skipped = excluded.steps_skipped;

-- name: put_task_state
insert into task_states (id, doc) values (:id, :doc)
on conflict (id) do update set doc = excluded.doc;

-- name: put_task_score
insert into task_scores (number, project, doc) values (:number, :project, :doc)
on conflict (number) do update set project = excluded.project, doc = excluded.doc;

-- name: list_task_scores
select doc from task_scores where project = :project order by number;

-- name: get_task_state
select doc from task_states where id = :id;

-- name: list_tasks
select id, project, title, status, paused, steps_accepted, steps_total, changed_at, steps_skipped from tasks
order by number;

-- name: list_tasks_in
select id, project, title, status, paused, steps_accepted, steps_total, changed_at, steps_skipped from tasks
where status in (select value from json_each(:statuses)) order by number;

-- name: list_tasks_of
select id, project, title, status, paused, steps_accepted, steps_total, changed_at, steps_skipped from tasks
where project = :project and (:statuses = '[]' or status in (select value from json_each(:statuses))) order by number;

-- Of one status, so that its index gives the order and no more is read than is asked for; -1 is all.
-- name: list_tasks_standing
select id, project, title, status, paused, steps_accepted, steps_total, changed_at, steps_skipped from tasks
where status = :status and changed_at >= :since order by number limit :most;

-- name: list_paused_tasks
select id, project, title, status, paused, steps_accepted, steps_total, changed_at, steps_skipped from tasks
where paused = 1 order by number;

-- name: count_tasks
select status, count(*) from tasks group by status;

-- name: count_tasks_since
select status, count(*) from tasks where changed_at >= :since group by status;

-- name: task_ids_after
select id from tasks where number > :after order by number limit :most;

-- The log's order, not that of any clock; its last events alone are read, however many tasks there are.
-- name: tasks_of_last
select streams.local from events cross join streams on streams.uuid = events.stream
where events.seq > (select max(seq) from events) - :most and streams.kind = 'task'
order by events.seq desc;

-- What keeps each task waiting, oldest first; far fewer rows than tasks.
-- name: open_gates_of_tasks
select task, id, kind from gates where status = 'open' and task is not null order by number;

-- name: put_run
insert into runs (number, id, project, task, status, doc) values (:number, :id, :project, :task, :status, :doc)
on conflict (number) do update set project = excluded.project, task = excluded.task, status = excluded.status,
    doc = excluded.doc;

-- name: get_run
select doc from runs where id = :id;

-- name: list_runs
select doc from runs order by number desc;

-- name: list_live_runs
select doc from runs where status in ('pending', 'running', 'waiting') order by number desc;

-- name: list_runs_of
select doc from runs where task = :task and (not :live or status in ('pending', 'running', 'waiting'))
order by number desc;

-- name: put_node
insert into nodes (run, path, doc) values (:run, :path, :doc)
on conflict (run, path) do update set doc = excluded.doc;

-- name: list_nodes
select doc from nodes where run = :run order by position;

-- name: put_attempt
insert into attempts (number, id, run, step, doc) values (:number, :id, :run, :step, :doc)
on conflict (number) do update set run = excluded.run, step = excluded.step, doc = excluded.doc;

-- name: get_attempt
select doc from attempts where id = :id;

-- name: list_attempts
select doc from attempts order by number;

-- name: list_attempts_of_run
select doc from attempts where run = :run order by number;

-- name: list_attempts_of_exam
select doc from attempts where json_extract(doc, '$.outcome.exam') = :exam order by number;

-- name: list_parked_attempts
select doc from attempts indexed by attempts_parked
where json_extract(doc, '$.status') = 'queued' and json_extract(doc, '$.not_before') > ''
order by json_extract(doc, '$.not_before');

-- name: workers_at_work
select json_extract(attempts.doc, '$.worker') from attempts cross join runs on runs.id = attempts.run
where json_extract(attempts.doc, '$.status') = 'running' and runs.status in ('pending', 'running', 'waiting');

-- name: list_queued_attempts
select attempts.doc from attempts cross join runs on runs.id = attempts.run
where json_extract(attempts.doc, '$.status') = 'queued' and runs.status in ('pending', 'running', 'waiting')
limit :most;

-- name: list_attempts_of_step
select doc from attempts where step = :step and (:run is null or run = :run) order by number;

-- name: put_gate
insert into gates (number, id, kind, status, project, task, run, doc)
values (:number, :id, :kind, :status, :project, :task, :run, :doc)
on conflict (number) do update set kind = excluded.kind, status = excluded.status, project = excluded.project,
    task = excluded.task, run = excluded.run, doc = excluded.doc;

-- name: get_gate
select doc from gates where id = :id;

-- name: list_gates
select doc from gates order by number;

-- name: list_open_gates
select doc from gates where status = 'open' order by number;

-- name: list_gates_of_task
select doc from gates
where task = :task and (:everything or status = 'open') and (:run is null or run = :run) order by number;

-- name: list_gates_of_run
select doc from gates where run = :run and (:everything or status = 'open') order by number;

-- == state rows, to be held against the log: every column that a table has ==

-- name: row_of_projects
select * from projects where id = :id;

-- name: row_of_tasks
select * from tasks where number = :number or id = :id;

-- name: row_of_task_states
select * from task_states where id = :id;

-- name: row_of_task_scores
select * from task_scores where number = :number;

-- name: row_of_runs
select * from runs where number = :number or id = :id;

-- name: row_of_nodes
select * from nodes where run = :run and path = :path;

-- name: row_of_attempts
select * from attempts where number = :number or id = :id;

-- name: row_of_gates
select * from gates where number = :number or id = :id;

-- name: rows_of_task
select 'gates' as "table", id as key from gates where task = :local and run is null;

-- name: rows_of_run
select 'nodes' as "table", run || ' ' || iif(path = '', '(the flow)', path) as key from nodes where run = :local
union all select 'attempts', id from attempts where run = :local
union all select 'gates', id from gates where run = :local;

-- name: rows_of_no_stream
with heads as (select kind, local from streams where kind <> 'workspace')
select 'projects' as "table", id as key from projects where ('project', id) not in heads
union all select 'tasks', id from tasks where ('task', id) not in heads
union all select 'task_states', id from task_states where ('task', id) not in heads
union all select 'task_scores', number from task_scores where ('task', 'T' || number) not in heads
union all select 'runs', id from runs where ('run', id) not in heads
union all select 'nodes', run || ' ' || path from nodes where ('run', run) not in heads
union all select 'attempts', id from attempts where ('run', run) not in heads
union all select 'gates', id from gates
    where iif(run is null, ('task', coalesce(task, '')) not in heads, ('run', run) not in heads);

-- name: list_counters
select kind, next from counters;

-- == inbox ==

-- name: enqueue
insert into inbox (at, actor, command, key) values (:at, :actor, :command, :key) returning number;

-- name: command_with_key
select number, command from inbox where key = :key;

-- name: pending_commands
select number, at, actor, command, key, state, answer from inbox where state = 'pending' order by number;

-- name: all_commands
select number, at, actor, command, key, state, answer from inbox order by number;

-- name: get_command
select number, at, actor, command, key, state, answer from inbox where number = :number;

-- A command is answered once: zero rows is a refusal.
-- name: answer_command
update inbox set state = :state, answer = :answer where number = :number and state = 'pending';

-- The first answer stays, but for one that said only that another will follow.
-- name: remember
insert into remembered (key, answer) values (:key, :answer)
on conflict (key) do update set answer = excluded.answer where remembered.answer = :instead;

-- name: recall
select answer from remembered where key = :key;

-- == files and callbacks for other programs ==

-- name: get_cursor
select doc from cursors where name = :cursor;

-- A cursor is moved from where its mover saw it: zero rows is a refusal.
-- name: begin_cursor
insert into cursors (name, doc) values (:cursor, :doc) on conflict (name) do nothing;

-- name: move_cursor
update cursors set doc = :doc where name = :cursor and doc = :was;

-- name: drop_cursor
delete from cursors where name = :cursor;

-- name: last_event
select max(seq) from events;

-- One event a line, as `punchlist events --json` has it.
-- name: event_lines
select seq, json_object(
    'seq', seq, 'stream', stream, 'n', n, 'at', at, 'kind', kind, 'actor', actor, 'data', json(data),
    'prev', prev, 'hash', hash
) from events where seq > :after order by seq limit :most;

-- name: events_of_kinds
select seq, stream, events.n, at, events.kind, actor, data, prev, events.hash, local
from events cross join streams on streams.uuid = events.stream
where seq > :after and events.kind in (select value from json_each(:kinds)) order by seq limit :most;

-- name: add_reply
insert into replies (after, line) values (coalesce((select max(seq) from events), 0), :line);

-- name: replies_after
select number, after, line from replies where number > :after order by number limit :most;

-- name: forget_replies
delete from replies where number <= :last;

-- name: add_open_line
insert into open_lines (doc) values (:doc);

-- name: list_open_lines
select number, doc from open_lines order by number;

-- A line is answered once: zero rows is a refusal.
-- name: close_line
delete from open_lines where number = :number;

-- name: put_delivery
insert into deliveries (id, state, doc) values (:id, :state, :doc)
on conflict (id) do update set state = excluded.state, doc = excluded.doc;

-- name: list_deliveries
select doc from deliveries where state = :state order by number;

-- name: remove_delivery
delete from deliveries where id = :id;
