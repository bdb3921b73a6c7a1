from punchlist.flow.nodes import KINDS
from punchlist.flow.schema import node_schemas


def test_each_kind_of_node_has_a_closed_schema() -> None:
    schemas = node_schemas()

    assert set(schemas) == {"group" if kind == "nodes" else kind for kind in KINDS}
    for schema in schemas.values():
        definitions = schema["$defs"]
        assert isinstance(definitions, dict)
        records = [each for each in definitions.values() if isinstance(each, dict) and "properties" in each]
        assert records
        assert all(each["additionalProperties"] is False for each in records)
