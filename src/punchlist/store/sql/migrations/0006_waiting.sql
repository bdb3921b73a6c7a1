-- Format 6: lines of the inbox file may wait for their answer, and paused tasks are found.

create table open_lines (
    number integer primary key autoincrement,
    doc text not null
) strict;

create index tasks_paused on tasks (paused) where paused = 1;
