-- Format 8: attempts of runs that deliver no task keep no mark; no generated file shows them.

update attempts set doc = json_remove(doc, '$.mark')
where json_extract(doc, '$.mark') is not null and run in (select id from runs where task is null);
