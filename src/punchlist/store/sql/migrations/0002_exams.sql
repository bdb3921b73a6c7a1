-- Format 2: the attempts of one check on one tree are found.

create index attempts_by_exam on attempts (json_extract(doc, '$.outcome.exam'))
where json_extract(doc, '$.outcome.exam') is not null;
