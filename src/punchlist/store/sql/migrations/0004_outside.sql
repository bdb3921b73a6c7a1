-- Format 4: how far files for other programs were read and written, and what is to be delivered to such programs.

create table cursors (
    name text primary key,
    doc text not null
) strict, without rowid;

create table replies (
    number integer primary key autoincrement,
    after integer not null,
    line text not null
) strict;

create table deliveries (
    number integer primary key autoincrement,
    id text not null unique,
    state text not null check (state in ('due', 'given_up')),
    doc text not null
) strict;

create index deliveries_by_state on deliveries (state);
