"""SQL is parsed, optimised and written in another dialect."""

import sqlglot
from sqlglot.optimizer.simplify import simplify

SQL = """
select a.id, sum(b.amount) as total, case when a.kind = 'x' then 1 else 0 end as flag
from accounts a join bookings b on a.id = b.account_id
where b.booked_at >= '2024-01-01' and (a.region in ('n', 's') or a.region is null)
group by a.id, a.kind having sum(b.amount) > 100 order by total desc limit 10
"""
total = 0
for _ in range(120):
    total += len(simplify(sqlglot.parse_one(SQL)).sql(dialect="duckdb"))
print(total)
