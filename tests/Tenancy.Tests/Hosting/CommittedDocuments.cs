// The token ends a wait of milliseconds; in each call it would hide what is tested.
#pragma warning disable xUnit1051
using Tenancy.Configuration;
using Tenancy.State;

namespace Tenancy.Tests.Hosting;

/// <summary>Documents each of whose writes is a call of its own: it is committed when it returns. All are tries of one operation.</summary>
internal sealed class CommittedDocuments<T>(
    RedisConnection redis,
    TenantId tenant,
    string? account,
    string operation,
    DocumentBudget? budget = null,
    TenantDocument? owner = null,
    long generation = 0
)
    where T : TenantDocument
{
    private readonly DocumentBudget _budget = budget ?? DocumentBudget.OfTenant(TenantLimits.DefaultMaxDocumentBytes);

    public CommittedDocuments<T> Of(TenantDocument owner)
    {
        // Who is no owner is refused at once.
        _ = Documents(new Unit(_budget)).Of(owner);
        return new(redis, tenant, account, operation, _budget, owner, generation);
    }

    public Task<T?> GetAsync(string id) => Documents(new Unit(_budget)).GetAsync(id);

    public Task<IReadOnlyList<T>> GetAllAsync(IEnumerable<string> ids, CancellationToken cancellationToken = default) =>
        Documents(new Unit(_budget)).GetAllAsync(ids, cancellationToken);

    public Task<DocumentPage<T>> ListAsync(string? cursor = null, int limit = 50) => Documents(new Unit(_budget)).ListAsync(cursor, limit);

    public Task<T> CreateAsync(T document, string name = "") => WriteAsync(documents => documents.CreateAsync(document, name));

    public Task<T?> CreateWithIdAsync(string id, T document) => WriteAsync(documents => documents.CreateWithIdAsync(id, document));

    public Task<T> ReplaceAsync(T document) => WriteAsync(documents => documents.ReplaceAsync(document));

    public Task<bool> DeleteAsync(string id) => WriteAsync(documents => documents.DeleteAsync(id));

    private async Task<TResult> WriteAsync<TResult>(Func<Documents<T>, Task<TResult>> write)
    {
        var unit = new Unit(_budget);
        var result = await write(Documents(unit));
        if (!unit.Work.IsEmpty)
        {
            await DocumentCommit.FlushAsync(redis, new(tenant), generation, unit.Work, lease: null);
        }

        return result;
    }

    private Documents<T> Documents(IUnitOfWork unit)
    {
        var documents = new Documents<T>(new DocumentScope(redis, tenant, account, operation, unit, () => { }));
        return owner is null ? documents : documents.Of(owner);
    }

    private sealed class Unit(DocumentBudget budget) : IUnitOfWork
    {
        public DocumentWork Work { get; } = DocumentWork.Again(budget, DocumentWork.Start.Empty);

        public DocumentWork BeginWork() => Work;

        public void AddUnits(long units) { }
    }
}
