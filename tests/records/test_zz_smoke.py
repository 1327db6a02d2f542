from tests.records.support import Handler
async def test_smoke(admin):
    loc = Handler(admin, "Location")
    body = await loc.save(Code="524", Name="Test Location", ExternalLocationCode="Test-01", SateId=5, Latitude="13.123456789")
    print(body)
    print(await loc.page())
    print(await loc.page({"code": "524"}, includeDeleted=1))
    print(await loc.page({"code": {"operator":"IN","value":["524","X"]}}, includeDeleted=1, cursor=""))
    print((await loc.page_answer({"modifiedOn": {"operator":">","value":"2024-01-01"}})).headers)
