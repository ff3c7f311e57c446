using System.Text;

namespace Tenancy.Tests.Mcp.Requests;

public sealed class RequestIdsTests
{
    [Theory]
    [InlineData("\"ab\"", "\"\\u0061b\"", true)]
    [InlineData("\"a/b\"", "\"a\\/b\"", true)]
    [InlineData("1", "1", true)]
    [InlineData("1", "2", false)]
    [InlineData("1", "\"1\"", false)]
    [InlineData("\"\"", "\"a\"", false)]
    [InlineData("\"\\\"1\"", "\"1\"", false)]
    public void A_request_and_its_cancellation_have_one_id_however_they_write_it(string request, string cancellation, bool isOne) =>
        Assert.Equal(isOne, RequestIds.Read(Encoding.UTF8.GetBytes(request)) == RequestIds.Read(Encoding.UTF8.GetBytes(cancellation)));
}
