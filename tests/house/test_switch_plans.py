"""Parameters that take yes or no are answered without reading all rows, as the application role."""

import asyncpg
import pytest
from tests.house.test_tenancy import DATASETS, _plan, _reaches, _scans, _values, many, owner

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.clauses import NEWEST
from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.fields import FieldType
from coldshelf.records.filters import known_column
from coldshelf.records.query import Shape, page_statement

__all__ = ["many", "owner"]  # fixtures

HALF = {
    FieldType.TIMESTAMP: "CASE WHEN {} % 2 = 0 THEN clock_timestamp() END",
    FieldType.BOOLEAN: "{} % 2 = 0",
    FieldType.FLOAT: "50.0 + {} % 2 * 50.0",
    FieldType.INTEGER: "{} % 5000",
}
"""Values that let half of the rows through a switch, or are those of four rows each."""
FOR_EACH = """
    INSERT INTO {relation} SELECT made.* FROM (SELECT * FROM {relation} WHERE client_id = $1 LIMIT 1) AS one
    JOIN {of} AS t ON t.client_id = $1 AND NOT EXISTS (SELECT FROM {relation} WHERE client_id = $1 AND {key} = t.id),
    LATERAL jsonb_populate_record(NULL::{relation}, to_jsonb(one) || jsonb_build_object('{key}', t.id)) AS made"""
SWITCHED = [(dataset, switch) for dataset in DATASETS for switch in dataset.plain_switches]


async def _halve(owner: asyncpg.Connection, client_id: ClientId, dataset: Dataset, column: Column) -> None:
    """Give every row a value of the column, in the relation that holds it, where each row has one row of its own."""
    relation, key = column.of or dataset.relation, "id"
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        if column.of:
            key = next(join.key for join in dataset.joins if join.relation == relation)
            await owner.execute(FOR_EACH.format(relation=relation, key=key, of=dataset.relation), client_id)
        value = HALF[column.type].format(key)
        await owner.execute(f'UPDATE {relation} SET "{column.name}" = {value} WHERE client_id = $1', client_id)


@pytest.mark.usefixtures("many")
async def test_a_switch_that_half_of_the_rows_fit_scans_no_relation(
    run: Runtime, client_id: ClientId, owner: asyncpg.Connection
) -> None:
    columns = {switch.name: known_column(dataset, switch.field) for dataset, switch in SWITCHED}
    for dataset, switch in SWITCHED:
        await _halve(owner, client_id, dataset, columns[switch.name])
    await owner.execute("ANALYZE")

    assert {switch.name for _, switch in SWITCHED} >= {"isLatest", "IsVerified", "Competition", "PurityIssue"}
    for dataset, switch in SWITCHED:
        column = columns[switch.name]
        for operator, value in (switch.yes, switch.no):
            shape = Shape(dataset=dataset, sort=known_column(dataset, dataset.key), conditions=((column, operator),))
            statement = page_statement(shape)
            given = {} if value is None else {"v0_0": value}
            nodes = await _plan(run, client_id, statement.text, *_values(statement, **given))

            if operator in NEWEST:  # one look into the index for each row
                assert _reaches(nodes, "client_id = ", f"{column.name} = "), switch.name
                continue
            for relation in (dataset.relation, column.of or dataset.relation):
                assert not _scans(nodes, relation), (switch.name, operator)
