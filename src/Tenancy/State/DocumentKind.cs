using System.Reflection;

namespace Tenancy.State;

/// <summary>Reads where the documents of a type are kept.</summary>
internal static class DocumentKind
{
    public static DocumentAttribute Of(Type type)
    {
        var attribute = type.GetCustomAttribute<DocumentAttribute>()
            ?? throw new InvalidOperationException($"{type.Name} has no [Document(\"name\")]: say where its documents are kept.");
        return
            attribute.Collection.Length is > 0 and <= 40
            && attribute.Collection.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_')
            ? attribute
            : throw new InvalidOperationException(
                $"[Document(\"{attribute.Collection}\")] of {type.Name}: use 1 to 40 characters of a-z, 0-9 and '_'."
            );
    }
}
