-- Format 5: the attempts that wait for their time are found.

create index attempts_parked on attempts (json_extract(doc, '$.not_before'))
where json_extract(doc, '$.status') = 'queued' and json_extract(doc, '$.not_before') is not null;
