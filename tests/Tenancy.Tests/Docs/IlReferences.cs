using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Tenancy.Tests.Docs;

/// <summary>Which types a type uses, as the compiler wrote it down: in signatures, attributes and method bodies.</summary>
/// <remarks>
/// What the compiler made of a type (closures, state machines) is nested in it and counts for it. A constant that was copied leaves no
/// trace.
/// </remarks>
internal sealed class IlReferences
{
    private readonly HashSet<TypeReference> _seen = new(new ByName());

    private IlReferences() { }

    /// <summary>Reads an assembly of this process.</summary>
    public static AssemblyDefinition Read(System.Reflection.Assembly assembly)
    {
        // An attribute's enum is read with the help of its own assembly; the process knows where each one lies.
        var resolver = new DefaultAssemblyResolver();
        var known = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        foreach (var folder in known.Select(file => Path.GetDirectoryName(file)).Distinct())
        {
            resolver.AddSearchDirectory(folder);
        }

        return AssemblyDefinition.ReadAssembly(assembly.Location, new() { AssemblyResolver = resolver });
    }

    /// <summary>The types that a type uses, each by the type in which it is nested.</summary>
    public static IReadOnlyCollection<TypeReference> Of(TypeDefinition type)
    {
        var references = new IlReferences();
        references.AddBodyOf(type);
        return references._seen;
    }

    /// <summary>The type in which a type is nested; itself, where it is nested in none.</summary>
    public static TypeReference Outermost(TypeReference type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    private void AddBodyOf(TypeDefinition type)
    {
        Add(type.BaseType);
        AddAttributes(type);
        AddConstraints(type);
        foreach (var implemented in type.Interfaces)
        {
            Add(implemented.InterfaceType);
        }

        foreach (var field in type.Fields)
        {
            Add(field.FieldType);
            AddAttributes(field);
        }

        foreach (var property in type.Properties)
        {
            Add(property.PropertyType);
            AddAttributes(property);
        }

        foreach (var one in type.Events)
        {
            Add(one.EventType);
            AddAttributes(one);
        }

        foreach (var method in type.Methods)
        {
            AddMethod(method);
        }

        foreach (var nested in type.NestedTypes)
        {
            AddBodyOf(nested);
        }
    }

    private void AddMethod(MethodDefinition method)
    {
        AddSignature(method);
        AddAttributes(method);
        AddAttributes(method.MethodReturnType);
        AddConstraints(method);
        foreach (var parameter in method.Parameters)
        {
            AddAttributes(parameter);
        }

        foreach (var overridden in method.Overrides)
        {
            AddCall(overridden);
        }

        if (!method.HasBody)
        {
            return;
        }

        foreach (var variable in method.Body.Variables)
        {
            Add(variable.VariableType);
        }

        foreach (var handler in method.Body.ExceptionHandlers)
        {
            Add(handler.CatchType);
        }

        foreach (var instruction in method.Body.Instructions)
        {
            AddOperand(instruction.Operand);
        }
    }

    private void AddOperand(object? operand)
    {
        switch (operand)
        {
            case MethodReference method:
                AddCall(method);
                break;
            case FieldReference field:
                Add(field.DeclaringType);
                Add(field.FieldType);
                break;
            case TypeReference type:
                Add(type);
                break;
            case CallSite site:
                AddSignature(site);
                break;
        }
    }

    private void AddCall(MethodReference method)
    {
        Add(method.DeclaringType);
        AddSignature(method);
        if (method is GenericInstanceMethod generic)
        {
            AddAll(generic.GenericArguments);
        }
    }

    private void AddSignature(IMethodSignature signature)
    {
        Add(signature.ReturnType);
        AddAll(signature.Parameters.Select(parameter => parameter.ParameterType));
    }

    private void AddConstraints(IGenericParameterProvider provider)
    {
        foreach (var parameter in provider.GenericParameters)
        {
            AddAttributes(parameter);
            AddAll(parameter.Constraints.Select(constraint => constraint.ConstraintType));
        }
    }

    private void AddAttributes(ICustomAttributeProvider provider)
    {
        foreach (var attribute in provider.CustomAttributes)
        {
            AddCall(attribute.Constructor);
            foreach (var argument in attribute.ConstructorArguments)
            {
                AddArgument(argument);
            }

            foreach (var named in attribute.Properties.Concat(attribute.Fields))
            {
                AddArgument(named.Argument);
            }
        }
    }

    private void AddArgument(CustomAttributeArgument argument)
    {
        Add(argument.Type);
        switch (argument.Value)
        {
            case TypeReference type:
                Add(type);
                break;
            case CustomAttributeArgument boxed:
                AddArgument(boxed);
                break;
            case CustomAttributeArgument[] items:
                Array.ForEach(items, AddArgument);
                break;
        }
    }

    private void AddAll(IEnumerable<TypeReference> types)
    {
        foreach (var type in types)
        {
            Add(type);
        }
    }

    private void Add(TypeReference? type)
    {
        switch (type)
        {
            case null or GenericParameter:
                break;
            case GenericInstanceType generic:
                AddAll(generic.GenericArguments);
                Add(generic.ElementType);
                break;
            case FunctionPointerType function:
                AddSignature(function);
                break;
            case IModifierType modified:
                Add(modified.ModifierType);
                Add(modified.ElementType);
                break;
            case TypeSpecification specification:
                Add(specification.ElementType);
                break;
            default:
                _seen.Add(Outermost(type));
                break;
        }
    }

    private sealed class ByName : IEqualityComparer<TypeReference>
    {
        public bool Equals(TypeReference? x, TypeReference? y) => x?.FullName == y?.FullName;

        public int GetHashCode(TypeReference type) => type.FullName.GetHashCode(StringComparison.Ordinal);
    }
}
