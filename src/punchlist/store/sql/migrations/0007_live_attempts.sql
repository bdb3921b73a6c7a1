-- Format 7: the attempts that are queued or at work are found.

create index attempts_live on attempts (json_extract(doc, '$.status'))
where json_extract(doc, '$.status') = 'queued' or json_extract(doc, '$.status') = 'running';
