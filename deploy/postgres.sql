-- Load the signals of a run into PostgreSQL 15 or newer, by psql, in one transaction:
--
--     psql "$DATABASE_URL" -X -v record=record.json -v signals=signals.csv -f postgres.sql
--
-- record, signals   what `rollsignal run --signals signals.csv --record record.json` wrote
-- symbol            -v symbol=BTC names a series without a symbol, which the table needs
-- schema            -v schema=btc is where the tables are, and are made; rollsignal if it is left out
--
-- Ends with 0, or with 3 if anything is wrong: then nothing was loaded. docs/tables.md says more.

\set ON_ERROR_STOP on
\set QUIET on
\set SHOW_CONTEXT never
\pset footer off
set client_min_messages = warning;
set client_encoding = 'UTF8';

\if :{?record} \else \set record '' \endif
\if :{?signals} \else \set signals '' \endif
\if :{?symbol} \else \set symbol '' \endif
\if :{?schema} \else \set schema rollsignal \endif
\set document `cat -- :'record'`
\set is_csv `head -n 1 -- :'signals' | grep -ax 'timestamp,symbol,close,rolling_mean,signal'`
\setenv SIGNALS :signals

begin;

-- One load at a time; readers go on.
select pg_advisory_xact_lock(hashtext('rollsignal')) \g /dev/null

select format('create schema %I', :'schema') where to_regnamespace(quote_ident(:'schema')) is null \gexec
set local search_path = :"schema";

-- Whoever loads later need not have the right to create tables.
select to_regclass('signals') is null as is_new \gset
\if :is_new
create table runs (
    digest text primary key,        -- of the signals; the newest run that decided these
    record jsonb not null
);
create table signals (
    symbol text,
    "timestamp" timestamptz,
    close numeric,
    rolling_mean numeric,           -- null, as the signal, where there is none: in warm-up
    signal smallint,
    digest text not null,           -- of the run that delivered this row last
    primary key (symbol, "timestamp")
);
\endif

create temporary table load on commit drop as
select :'document' as document, null::jsonb as record, null as digest,
       :'is_csv' <> '' as is_csv, :'symbol' as symbol, :'signals' as path;

create or replace function pg_temp.refuse(problem text, hint text) returns void language plpgsql as $$
begin
    raise exception using message = 'nothing was loaded: ' || problem, hint = hint;
end $$;

create or replace function pg_temp.setting(record jsonb, name text) returns text language sql immutable as
    'select record -> ''config'' -> name ->> ''value''';

-- Only a run that succeeded is loaded.
do $$
declare
    run jsonb;
begin
    begin
        update load set record = document::jsonb, digest = document::jsonb ->> 'digest'
        returning record into run;
    exception when others then
        perform pg_temp.refuse('the record cannot be read: ' || sqlerrm,
            'name the file that rollsignal run --record wrote: -v record=record.json');
    end;
    if coalesce(run ->> 'schema', '') not like 'urn:rollsignal:schema:record:%' then
        perform pg_temp.refuse('the record is not that of a run',
            'name the file that rollsignal run --record wrote: -v record=record.json');
    elsif run ->> 'status' <> 'success' then
        perform pg_temp.refuse(
            format('the record is of a run with status %s, not success', run ->> 'status'),
            'load the run when it has succeeded');
    elsif not (select is_csv from load) then
        perform pg_temp.refuse(
            format('%L is not a CSV file of signals', (select path from load)),
            'run with --signals signals.csv, in one file, and name it: -v signals=signals.csv');
    end if;
end $$;

-- After the last row comes one with the SHA-256 of all bytes that were read, by the same reading.
create temporary table arrived (
    "timestamp" text, symbol text, close numeric, rolling_mean numeric, signal smallint
) on commit drop;
\copy arrived from program '{ tee /dev/fd/3 < "$SIGNALS" | (sha256sum 2>/dev/null || shasum -a 256) | sed "s/ .*/,,,,/"; } 3>&1' with (format csv, header match, force_not_null (symbol), encoding 'UTF8')

do $$
declare
    run jsonb := (select record from load);
    named text := run -> 'asked' -> 'outputs' ->> '--signals';
    expected text;
    given text := (select symbol from load);
    example record;
begin
    select output ->> 'sha256' into expected
    from jsonb_array_elements(run -> 'outputs') output where output ->> 'path' = named;
    delete from arrived where "timestamp" = expected and close is null and signal is null;
    if not found then
        perform pg_temp.refuse(
            format('the SHA-256 of %s is not that of the signals of the record (%s)',
                (select path from load), coalesce(named, 'it has none')),
            'name the record and the CSV file of signals that the same run wrote');
    end if;

    select * into example from arrived where "timestamp" is null limit 1;
    if found then
        perform pg_temp.refuse(
            format('bars of series %L have no timestamp, so a table cannot tell them apart',
                example.symbol),
            'run on bars with times; columns: {timestamp: NAME} in the config says where they are');
    end if;
    select * into example from arrived where "timestamp" ~ '\.\d{7,}Z$' limit 1;
    if found then
        perform pg_temp.refuse(
            format('%s is finer than a microsecond, which timestamptz would round',
                example."timestamp"),
            'PostgreSQL cannot hold these times; keep such signals as Parquet');
    end if;
    if given = '' and exists (select from arrived where symbol = '') then
        perform pg_temp.refuse('the signals are of a series without a symbol',
            'name it: -v symbol=NAME, by which the table tells it from others');
    elsif given <> '' and exists (select from arrived where symbol <> '') then
        perform pg_temp.refuse('the signals have symbols of their own', 'leave out -v symbol');
    end if;
end $$;

-- In CSV, a symbol that a spreadsheet would run as a formula has an apostrophe before it.
create temporary table bars on commit drop as
select case when symbol = '' then (select symbol from load)
            when symbol ~ '^''[-=+@\t\r]' then substr(symbol, 2) else symbol end as symbol,
       "timestamp"::timestamptz as "timestamp", close, rolling_mean, signal
from arrived;
create index on bars (symbol, "timestamp");
analyze bars;
create temporary table spans on commit drop as
select symbol, min("timestamp") as first, max("timestamp") as last from bars group by symbol;

do $$
declare
    run jsonb := (select record from load);
    bars_in_window int := pg_temp.setting(run, 'window');
    later text[];
    example record;
begin
    select symbol, "timestamp" into example
    from bars group by symbol, "timestamp" having count(*) > 1 limit 1;
    if found then
        perform pg_temp.refuse(
            format('two bars of %L are at %s', example.symbol, example."timestamp"),
            'set checks: {duplicates: error} in the config; its message names their lines');
    end if;

    select name, pg_temp.setting(former.record, name) as was, pg_temp.setting(run, name) as is
    into example
    from runs former, unnest(array['window', 'missing', 'columns.close']) name
    where pg_temp.setting(former.record, name) is distinct from pg_temp.setting(run, name)
    limit 1;
    if found then
        perform pg_temp.refuse(
            format('a run in the tables has %s: %s, this one has %s: %s',
                example.name, example.was, example.name, example.is),
            'load it into tables of its own: -v schema=NAME');
    end if;

    select array_agg(digest) into later
    from runs where record -> 'process' ->> 'started' > run -> 'process' ->> 'started';
    select stored.symbol, stored."timestamp", former.record -> 'process' ->> 'started' as started
    into example
    from signals stored join bars using (symbol, "timestamp") join runs former using (digest)
    where stored.digest = any(later)
    limit 1;
    if found then
        perform pg_temp.refuse(
            format('the bar of %L at %s is of a run that started later, at %s',
                example.symbol, example."timestamp", example.started),
            'load runs in the order in which they started');
    end if;

    -- A run that begins in the middle of a series has no signals in its warm-up.
    select bars.symbol, bars."timestamp" into example
    from bars join signals stored using (symbol, "timestamp") join spans using (symbol)
    where bars.signal is null and stored.signal is not null
      and exists (select from signals before
                  where before.symbol = bars.symbol and before."timestamp" < spans.first)
    limit 1;
    if found then
        perform pg_temp.refuse(
            format('the bar of %L at %s has a signal in the table, and none in this run, which '
                'begins later', example.symbol, example."timestamp"),
            'run on bars from further back; --since limits what is written');
    end if;

    -- A run that ends in the middle of a series must not change what later windows contain.
    select symbol, last into example from spans
    where exists (select from signals later
                  where later.symbol = spans.symbol and later."timestamp" > spans.last)
      and (select array_agg((mine."timestamp", mine.close) order by mine."timestamp") from
              (select * from bars where bars.symbol = spans.symbol
               order by "timestamp" desc limit bars_in_window - 1) mine)
       is distinct from
          (select array_agg((stored."timestamp", stored.close) order by stored."timestamp") from
              (select * from signals where signals.symbol = spans.symbol
               and signals."timestamp" between spans.first and spans.last
               order by "timestamp" desc limit bars_in_window - 1) stored)
    limit 1;
    if found then
        perform pg_temp.refuse(
            format('the run changes bars of %L up to %s, on which later signals in the table depend',
                example.symbol, example.last),
            'run up to the end of the series, without --until');
    end if;
end $$;

insert into runs select digest, record from load
on conflict (digest) do update set record = excluded.record
where runs.record is distinct from excluded.record;

-- Between the first and the last bar of a series, what the run does not have is not there any more.
create temporary table done on commit drop as
with removed as (
    delete from signals stored using spans
    where stored.symbol = spans.symbol and stored."timestamp" between spans.first and spans.last
      and not exists (select from bars
                      where bars.symbol = stored.symbol and bars."timestamp" = stored."timestamp")
    returning stored.symbol
)
select count(*) as removed, 0::bigint as restated, 0::bigint as new from removed;

with restated as (
    select from bars join signals stored using (symbol, "timestamp")
    where (bars.close, bars.rolling_mean, bars.signal)
       is distinct from (stored.close, stored.rolling_mean, stored.signal)
)
update done set restated = (select count(*) from restated);

update signals stored
set close = bars.close, rolling_mean = bars.rolling_mean, signal = bars.signal,
    digest = load.digest
from bars, load
where stored.symbol = bars.symbol and stored."timestamp" = bars."timestamp"
  and (bars.close, bars.rolling_mean, bars.signal, load.digest)
   is distinct from (stored.close, stored.rolling_mean, stored.signal, stored.digest);

with added as (
    insert into signals
    select bars.*, load.digest from bars, load
    where not exists (select from signals stored where stored.symbol = bars.symbol
                      and stored."timestamp" = bars."timestamp")
    returning symbol
)
update done set new = (select count(*) from added);

select (select count(*) from bars) as bars, new, restated, removed from done;

commit;
