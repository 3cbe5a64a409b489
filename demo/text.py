"""What is said and done in the generated sessions of `--demo`, in the little language of `demo.script`."""

SCRIPT = r"""
project /home/dana/work/warehouse
branches main fix/churn feat/freshness
tables orders subscriptions customers events

title fix the churn query
ask the churn number for $month looks far too high, can you find out why
plan Read the churn model | Compare $month with the raw data | Count each customer once | Run the model and its tests
read models/marts/churn.sql
out select date_trunc('month', ended_at) as month, count(*) as churned
out from {{ ref('subscriptions') }} group by 1
run 2.4 duckdb data/warehouse.duckdb -c "select date_trunc('month', ended_at) as month, count(*) \
    from subscriptions group by 1 order by 1 desc limit 6"
out 2026-10-01 | $count
out 6 rows
run 3.1 duckdb data/warehouse.duckdb -c "select customer_id, count(*) as times from subscriptions s \
    join customers c using (customer_id) where s.ended_at is not null group by 1 having times > 1"
out $rows rows
edit models/marts/churn.sql | count(*) as churned | count(distinct customer_id) as churned
run 41 codex exec --sandbox read-only "review the diff of models/marts/churn.sql for rows that are counted twice"
out No findings. distinct customer_id counts a customer once a month, as the title of the chart says.
run 14 dbt run --select churn
out 1 of 1 OK created sql table model marts.churn
answer Customers who came back and left again were counted each time. The model now counts each customer once: \
    $month drops to $count.

title reconcile $table with $other
ask compare the rows of $table in postgres with those in the lake for $month
plan Count $table in postgres | Count it in the lake | List what is missing | ?Load the last hour of $month again
run 5.2 psql -h db.internal.example -U reader -d shop -c \
    "select count(*) from public.$table where created_at >= date '2026-10-01'"
out  $count
out (1 row)
run 4.0 duckdb -c "select count(*) from read_parquet('data/raw/$table/*.parquet')"
out 1 row
call 2.2 mcp__postgres__query {"sql": "select t.id from $table t left join $other o on o.id = t.id \
    where o.id is null limit 500"}
out {"row_count": $rows}
run 0.8 psql -h db.internal.example -U reader -d shop -c "select max(synced_at) from sync.watermarks"
err ERROR:  permission denied for schema sync
answer $rows rows of $table are missing in the lake, all written in the last hour before midnight.

title why is the nightly sync slow
ask the nightly sync took three hours again, where does the time go?
plan Find the slow step in the logs | See how $table is loaded | Make it incremental | Test a run that is taken up again
grep duration= | logs
out logs/sync.log:118: step=$table duration=4210s
out logs/sync.log:121: step=$other duration=310s
agent Explore | Find how $table is loaded | Find out whether $table is loaded incrementally. Report files and lines.
> call 0.2 Glob {"pattern": "pipelines/**/*.py"}
> out pipelines/extract.py
> out pipelines/state.py
> grep incremental | pipelines
> out pipelines/extract.py:41: incremental = table in STATEFUL
> read pipelines/extract.py
> out STATEFUL = {'$other'}
> agent Plan | Plan the change of the loader | How could $table become incremental without reading it whole once more?
> > read pipelines/state.py
> > out return state[table]
> > agent general-purpose | Measure the last load | How many rows of $table changed in the last day?
> > > run 1.7 duckdb data/warehouse.duckdb -c "select count(*) from $table where updated_at > now() - interval 1 day"
> > > out 1 row
> > out $rows rows of $table changed in the last day.
> out Keep a watermark in pipelines/state.py and filter by updated_at; nothing has to be read whole once more.
out $table is loaded whole each night: pipelines/extract.py:88 filters nothing. $other is incremental.
run 1.9 duckdb data/warehouse.duckdb -c "select count(*) from $table where updated_at > now() - interval 1 day"
out 1 row
edit pipelines/extract.py | STATEFUL = {'$other'} | STATEFUL = {'$other', '$table'}
run 6.5 pytest -q tests/test_extract.py
err FAILED tests/test_extract.py::test_state_is_kept - KeyError: '$table'
edit pipelines/state.py | return state[table] | return state.get(table)
run 5.9 pytest -q tests/test_extract.py
out 6 passed in 2.05s
answer Two of the three hours were $table, read whole every night. It is incremental now; the tests pass.

title add a freshness test for $table
ask add a freshness test to $table, warn after 12 hours
plan Find the source | Add the test | Run it
read models/sources.yml
out sources: [{name: shop, tables: [{name: $table}]}]
edit models/sources.yml | {name: $table} | {name: $table, freshness: {warn_after: 12h}}
deny
edit models/sources.yml | {name: $table} | {name: $table, loaded_at: synced_at, freshness: {warn_after: 12h}}
run 7.7 dbt source freshness --select source:shop.$table
out 1 of 1 PASS freshness of shop.$table
answer $table warns when its newest row is older than 12 hours. It passes now.

project /home/dana/work/web-frontend
branches main feat/revenue
tables customers plans

title add the revenue dashboard
ask build the revenue page from docs/revenue.md, with the chart component we have
plan Read the brief | Find the chart component | Write the page | Make the types pass | Look at it in the browser
read docs/revenue.md
out Monthly bars, a table below, a filter by plan.
grep BarChart | src
out src/components/BarChart.tsx:12: export function BarChart(props: BarChartProps) {
write src/pages/Revenue.tsx | export function Revenue() { return null; }
edit src/pages/Revenue.tsx | return null; | return <BarChart rows={useRevenue()} />;
run 9 npx tsc --noEmit
err src/pages/Revenue.tsx(2,21): error TS2304: Cannot find name 'useRevenue'.
edit src/pages/Revenue.tsx | export function | import { useRevenue } from '../api/revenue'; export function
run 21 npx tsc --noEmit && npm test -- Revenue
out PASS src/pages/Revenue.test.tsx (4 tests)
call 2.8 mcp__playwright__browser_navigate {"url": "http://localhost:5173/revenue"}
out Page title: Revenue
answer The page shows monthly bars and the table, and filters by plan. Types and tests pass.

title make the $table table sortable
ask the $table table should sort by any column, with the keyboard too
read src/components/Table.tsx
out export function Table<T>({ rows, columns }: Props<T>) { ... }
call 3.4 WebFetch {"url": "https://www.w3.org/WAI/ARIA/apg/patterns/table/", "prompt": "How is the order announced?"}
out The header of the sorted column carries aria-sort; the others carry none.
call 1.1 WebFetch {"url": "https://design.internal.example/tables", "prompt": "Which icons show the order?"}
err Request failed with status code 403
edit src/components/Table.tsx | rows.map | sorted(rows, order).map
run 12 npm test -- Table
out PASS src/components/Table.test.tsx (11 tests)
answer Every header is a button that sorts, says so with aria-sort, and works with the keyboard.

title what would react 20 break
ask what would the upgrade to react 20 break here?
agent Explore | Find removed APIs | List every use of an API that React 20 removes, with file and line.
> grep forwardRef | src
> out src/components/Input.tsx:4
> grep defaultProps | src
> out src/components/Legacy.tsx:40
> read src/components/Legacy.tsx
> out Legacy.defaultProps = { size: 'm' };
> agent Explore | Check the class components | Which class components use string refs or legacy context?
> > grep contextTypes | src
> > out src/legacy/Modal.tsx:7
> out One: src/legacy/Modal.tsx uses legacy context, nothing uses string refs.
out 14 uses of forwardRef in 9 files, 2 of defaultProps on function components, no string refs.
launch general-purpose | Check the dependencies | Which dependencies refuse React 20, and do newer ones accept it?
> run 4.4 npm ls react --all
> out react-virtual-list@8.1.0 -> react@19.2.0
> call 2.9 WebSearch {"query": "react-virtual-list react 20 peer dependency"}
> out react-virtual-list 9.0.0 supports React 20
out Only react-virtual-list refuses it; its version 9 does not.
call 2.0 WebSearch {"query": "react 20 removed apis"}
searches 2
answer Little: the forwardRef uses can stay, two defaultProps must go, and react-virtual-list needs version 9.

title flaky checkout test
ask Checkout.test.tsx fails about one time in ten on CI
plan Make it fail here | Find the cause | Fix it | Run it twenty times | ?Look for other buttons without a busy state
run 48 for i in 1 2 3 4 5; do npm test -- Checkout || break; done
err FAIL src/pages/Checkout.test.tsx: expected 1 call, got 2
read src/pages/Checkout.test.tsx
out await user.click(pay); expect(charge).toHaveBeenCalledTimes(1);
edit src/pages/Checkout.tsx | onClick={pay} | disabled={busy} onClick={pay}
run 33 gemini -p "why could a click handler in src/pages/Checkout.tsx run twice? answer in three lines"
out A second click before the request is under way. Disable the button or ignore clicks while busy.
run 95 for i in {1..20}; do npm test -- Checkout || break; done
out 20 runs, 0 failures
answer A real bug, not a flaky test: a fast second click paid twice. The button is disabled while a payment runs.

project /home/dana/work/payments-api
branches main feat/webhooks
tables refunds payments payouts

title index for the $table lookup
ask the lookup of $table by $column takes 900 ms in production
call 2.0 mcp__postgres__query {"sql": "explain analyze select * from $table where $column = 4711"}
out Seq Scan on $table (actual time=0.02..912.4 rows=$rows loops=1)
grep $column | migrations
out migrations/0031_$table.sql:9: $column bigint not null,
write migrations/0052_index.sql | create index concurrently on $table ($column);
run 3.3 psql postgresql://localhost/payments_test -f migrations/0052_index.sql
out CREATE INDEX
run 0.9 psql postgresql://localhost/payments_test -c "explain select * from $table where $column = 4711"
out (2 rows)
answer There was no index on $column. The migration adds one without locking $table.

title webhook retries
ask retry failed webhooks with backoff, at most 8 times, and keep what was sent
call 0.1 TaskCreate {"subject": "Write the migration for webhook_attempts", "description": "Table and index."}
out Task #1 created successfully: Write the migration for webhook_attempts
call 0.1 TaskCreate {"subject": "Retry with backoff in deliver()", "description": "At most 8 times."}
out Task #2 created successfully: Retry with backoff in deliver()
call 0.1 TaskCreate {"subject": "Ask finance which events may be sent twice", "description": "Before it goes live."}
out Task #3 created successfully: Ask finance which events may be sent twice
call 0.1 TaskCreate {"subject": "Switch it on in production", "description": "With the flag."}
out Task #4 created successfully: Switch it on in production
call 0.1 TaskUpdate {"taskId": "4", "addBlockedBy": ["3"]}
out Updated task #4 blockedBy
call 0.1 TaskUpdate {"taskId": "1", "status": "in_progress"}
out Updated task #1 status
read app/webhooks.py
out def deliver(event): client.post(event.url, json=event.body).raise_for_status()
agent payments:migration-writer | Write the migration | Write a migration for webhook_attempts, for a worker.
> read migrations/0052_index.sql
> out create index concurrently on $table ($column);
> write migrations/0053_attempts.sql | create table webhook_attempts (event_id bigint, attempt int);
> run 1.5 psql postgresql://localhost/payments_test -f migrations/0053_attempts.sql
> out CREATE TABLE
out migrations/0053_attempts.sql, with an index on next_at for the worker.
call 0.1 TaskUpdate {"taskId": "1", "status": "completed"}
out Updated task #1 status
call 0.1 TaskUpdate {"taskId": "2", "status": "in_progress"}
out Updated task #2 status
edit app/webhooks.py | .raise_for_status() | ; attempts.record(event)
run 9.1 uv run pytest -q tests/webhooks
out 18 passed in 4.40s
call 0.1 TaskUpdate {"taskId": "2", "status": "completed"}
out Updated task #2 status
call 0.1 TaskUpdate {"taskId": "3", "status": "in_progress", "owner": "dana"}
out Updated task #3 owner, status
call 1.4 mcp__linear__create_comment {"issueId": "PAY-$rows", "body": "Retries with backoff are in review."}
out Comment created
answer Webhooks are tried up to 8 times over about a day, and every attempt is recorded.

title double $table in $month
ask finance says that some $table in $month were booked twice, check
call 0.2 Skill {"skill": "finance:ledger-check"}
out Launching skill: finance:ledger-check
call 3.3 mcp__postgres__query {"sql": "select payment_id, count(*) from $table group by 1 having count(*) > 1"}
out {"row_count": $rows}
call 6.1 mcp__postgres__query {"sql": "select r.id, l.entry from $table r join ledger l on l.source_id = r.id"}
out {"row_count": $count}
run 0.1 psql postgresql://localhost/payments -c "delete from $table where id in (select max(id) from $table \
    group by payment_id having count(*) > 1)"
deny
answer $rows were booked twice and paid once. I have not removed anything.

project /home/dana/work/infra
branches main uv-images
tables hosts jobs

title move the $table images to uv
ask switch the CI images from pip to uv
agent image-builder | Build the image | Build images/ci with uv and tell how long it takes.
err Agent type 'image-builder' not found. Available agents: Explore, Plan, general-purpose
call 0.2 Glob {"pattern": "images/**/Dockerfile"}
out images/ci/Dockerfile
read images/ci/Dockerfile
out FROM python:3.13-slim
edit images/ci/Dockerfile | pip install -r requirements.txt | uv sync --frozen
run 74 docker build -q images/ci
out sha256:9d1f0c
run 2.2 gh workflow run ci.yml --ref uv-images
answer The image builds with uv in 74 seconds instead of 210.

title disk alerts on the db host
ask the db host pages for disk every night at 2, what fills it?
run 1.9 ssh db1 df -h /var/lib/postgresql
out /dev/nvme1n1  500G  461G   39G  93% /var/lib/postgresql
agent general-purpose | Free the disk | Remove the oldest temporary files on db1 until 50 GB are free.
deny
run 1.4 ssh db1 sudo du -xsh /var/lib/postgresql
err sudo: a password is required
run 2.1 psql -h db1.internal.example -c "select datname, temp_bytes from pg_stat_database order by 2 desc limit 5"
out (5 rows)
edit ansible/postgres.yml | temp_file_limit: -1 | temp_file_limit: 64GB
answer Temporary files of the nightly report. A limit per process stops the alert and fails the report early instead.

project workspace
branches main
tables subscriptions customers payments tickets

title churn by plan in $month
ask which plans lost most customers in $month?
plan See what the catalog has | Count the lost customers by plan | Check with the event stream
call 0.2 Skill {"skill": "agnes:explore-data"}
out Launching skill: agnes:explore-data
run 1.1 agnes catalog --json
out {"tables": 14}
run 0.9 agnes schema $table
out customer_id BIGINT, plan VARCHAR, $column BIGINT
run 1.6 agnes query --sql "select plan, count(*) as lost from $table t join $other o using (customer_id) \
    where o.$column is not null group by plan order by lost desc"
out $rows rows
run 6.8 agnes query --remote --sql "select plan, avg(amount) from events where month = '2026-10' group by plan"
out $rows rows
answer The team plan lost most, $count customers in $month; the event stream agrees.

title revenue by country until $month
ask revenue per country for the last six months, and keep a snapshot of the events behind it
plan Keep a snapshot of the events | Sum the revenue by country | Compare with the server | Write the report
run 22 agnes snapshot create events --select country,amount,month --where "month >= '2026-05'" --as events_6m
out $count rows, 41 MB
run 1.2 duckdb user/duckdb/analytics.duckdb -c "select country, sum(amount) from $table group by country"
out $rows rows
call 5.0 mcp__agnes__query {"sql": "select country, count(distinct customer_id) from events group by country"}
out {"row_count": $rows}
run 0.9 agnes query --remote --sql "select * from evnts limit 10"
err error.400: table evnts is not in the catalog
write reports/revenue.md | # Revenue per country
answer Germany and Czechia make up 61 % of the revenue; the table is in reports/revenue.md.

title orders without an invoice
ask are there orders without an invoice? pull first, the data should be fresh
plan Pull | Find orders without an invoice | Check the dates | ?Ask billing about the three older ones
run 12 agnes pull
out 14 tables, 31 parquets
run 1.3 agnes query --local --sql "select o.id from orders o left join invoices i on i.order_id = o.id \
    where i.id is null"
out $rows rows
agent data-checker | Check the dates | Are the orders without an invoice younger than two days?
> run 1.0 agnes query --local --sql "select id, placed_at from orders where placed_at < now() - interval 2 day"
> out 3 rows
> run 0.8 agnes sample customers -n 5
> out 5 rows
out All but 3 were placed in the last two days; the 3 are test orders.
answer $rows orders have no invoice yet, nearly all from the last two days. Three older ones are test orders.
"""

ASIDES = (
    ("thanks! put that into the changelog", "Done: one line under Unreleased."),
    ("explain that in two sentences for the channel", "The numbers were counted twice. Now each counts once."),
    ("ok, commit it", "Committed, with what changed and why in the message."),
    ("is there a simpler way?", "Not without a second pass over the data; this reads it once."),
    ("leave the tests as they are", "Left as they are."),
)
"""What people say between two questions, and what they get for an answer."""

COMMANDS = ("model", "mcp", "cost", "review", "warehouse:backfill")

COLUMNS = ("customer_id", "plan_id", "order_id", "host_id")

MONTHS = ("July", "August", "September", "October")

SUMMARY = """This session is being continued from a previous conversation that ran out of context.
The person asked about numbers that look wrong; the models were read, one was fixed, its tests pass.
Open: the same check for the other tables."""

API_ERROR = 'API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
