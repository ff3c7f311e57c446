namespace Tenancy.Configuration;

/// <summary>Says that the value of a field may be a secret, so that the audit tells no more than that it changed.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ConcealedAttribute : Attribute;
