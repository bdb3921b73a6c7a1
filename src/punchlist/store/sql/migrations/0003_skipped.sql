-- Format 3: a task's line says how many of its steps were skipped.

alter table tasks add column steps_skipped integer not null default 0;

update tasks set steps_skipped = (
    select count(*) from task_states, json_each(task_states.doc, '$.task.steps') as step
    where task_states.id = tasks.id and json_extract(step.value, '$.status') = 'skipped'
);
