using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace McpFixtures.Tasks;

/// <summary>A call of a tool that goes on after it was answered. It ends once, and stays as it ended.</summary>
internal sealed class RunningTask(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _cancelled = new();
    private readonly Dictionary<string, Question> _open = [];
    private readonly DateTimeOffset _createdAt = time.GetUtcNow();
    private DateTimeOffset _updatedAt = time.GetUtcNow();
    private string? _end;
    private CallToolResult? _result;
    private JsonRpcErrorDetail? _error;

    public string Id { get; } = NewId();

    public TaskDescription Describe(string resultType)
    {
        lock (_lock)
        {
            var asks = _end is null && _open.Count > 0;
            return new()
            {
                ResultType = resultType,
                TaskId = Id,
                Status = _end ?? (asks ? "input_required" : "working"),
                CreatedAt = _createdAt,
                LastUpdatedAt = _updatedAt,
                Result = _result,
                Error = _error,
                InputRequests = asks ? _open.ToDictionary(open => open.Key, open => open.Value.Request) : null,
            };
        }
    }

    /// <summary>Goes on with the call.</summary>
    public void Run(Func<CancellationToken, ValueTask<CallToolResult>> call) =>
        _ = Task.Run(async () =>
        {
            try
            {
                End("completed", await call(_cancelled.Token));
            }
            catch (McpProtocolException exception)
            {
                End("failed", error: new() { Code = (int)exception.ErrorCode, Message = exception.Message });
            }
            catch (Exception)
            {
                // Where it was cancelled it has ended before.
                End("failed", error: new() { Code = (int)McpErrorCode.InternalError, Message = "The call failed." });
            }
        });

    /// <summary>Asks the client, who finds the question when it looks at the task.</summary>
    public async ValueTask<JsonNode?> AskAsync(string method, JsonNode? parameters, CancellationToken cancellationToken)
    {
        var question = new Question(new() { Method = method, Params = JsonSerializer.SerializeToElement(parameters) });
        Change(() => _open.Add(NewId(), question));
        return await question.Answer.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Answers questions, all or some; an answer to none counts for nothing.</summary>
    public void Answer(JsonObject answers)
    {
        foreach (var (key, answer) in answers)
        {
            Question? question = null;
            Change(() => _open.Remove(key, out question));
            question?.Answer.TrySetResult(answer?.DeepClone());
        }
    }

    public void Cancel()
    {
        End("cancelled");
        _cancelled.Cancel();
    }

    private static string NewId() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    private void End(string status, CallToolResult? result = null, JsonRpcErrorDetail? error = null) =>
        Change(() => (_end, _result, _error) = (status, result, error));

    private void Change(Action change)
    {
        lock (_lock)
        {
            if (_end is null)
            {
                change();
                _updatedAt = time.GetUtcNow();
            }
        }
    }

    private sealed record Question(InputRequest Request)
    {
        public TaskCompletionSource<JsonNode?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
