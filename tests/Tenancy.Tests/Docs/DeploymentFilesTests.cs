using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Tenancy.Configuration;
using Tenancy.Tests.Hosting;
using YamlDotNet.RepresentationModel;

namespace Tenancy.Tests.Docs;

/// <summary>
/// The scaffold's files for containers agree with the server and with each other. Neither Docker nor a cluster runs here: what is tested is
/// that Kubernetes' own types take the manifests, to the last field, and that paths, ports, times and settings are the product's.
/// </summary>
[Tier(Tier.Server)]
public sealed partial class DeploymentFilesTests
{
    private const string Folder = "templates/adcp-tenant-server/";

    private static readonly List<object> Manifests = KubernetesYaml.LoadAllFromString(Read("deploy/kubernetes.yaml"), strict: true);
    private static readonly V1PodSpec Pod = One<V1Deployment>().Spec.Template.Spec;
    private static readonly V1Container Container = Assert.Single(Pod.Containers);
    private static readonly TimeSpan HostTime = new HostOptions().ShutdownTimeout;

    [Fact]
    public void The_manifests_are_the_known_ones_and_have_one_name()
    {
        Assert.Equal(
            [
                nameof(V1Secret),
                nameof(V1ConfigMap),
                nameof(V1Deployment),
                nameof(V1Service),
                nameof(V1PodDisruptionBudget),
                nameof(V2HorizontalPodAutoscaler),
            ],
            Manifests.Select(manifest => manifest.GetType().Name)
        );
        Assert.All(Manifests, manifest => Assert.Equal("seller", ((IKubernetesObject<V1ObjectMeta>)manifest).Metadata.Name));
    }

    [Fact]
    public void A_field_that_kubernetes_does_not_know_would_be_found() =>
        Assert.ThrowsAny<Exception>(() =>
            KubernetesYaml.LoadAllFromString(
                Read("deploy/kubernetes.yaml").Replace("minAvailable", "minAvailible", StringComparison.Ordinal),
                strict: true
            )
        );

    [Fact]
    public void All_of_them_mean_the_same_pods()
    {
        var labels = One<V1Deployment>().Spec.Template.Metadata.Labels;
        Assert.Equal(labels, One<V1Deployment>().Spec.Selector.MatchLabels);
        Assert.Equal(labels, One<V1Service>().Spec.Selector);
        Assert.Equal(labels, One<V1PodDisruptionBudget>().Spec.Selector.MatchLabels);
        Assert.Equal(labels, Assert.Single(Pod.TopologySpreadConstraints).LabelSelector.MatchLabels);
        var target = One<V2HorizontalPodAutoscaler>().Spec.ScaleTargetRef;
        Assert.Equal(("apps/v1", "Deployment", "seller"), (target.ApiVersion, target.Kind, target.Name));
    }

    [Fact]
    public void There_is_always_one_more_pod_than_a_disruption_must_leave()
    {
        var least = One<V2HorizontalPodAutoscaler>().Spec.MinReplicas;
        Assert.Null(One<V1Deployment>().Spec.Replicas);
        Assert.True(int.Parse(One<V1PodDisruptionBudget>().Spec.MinAvailable.Value, CultureInfo.InvariantCulture) < least);
        Assert.Equal("0", One<V1Deployment>().Spec.Strategy.RollingUpdate.MaxUnavailable.Value);

        // A share of what a pod asks for: without that there is nothing to take a share of.
        Assert.True(Container.Resources.Requests.ContainsKey("cpu"));
    }

    [Fact]
    public void The_port_is_that_of_the_image_everywhere()
    {
        var exposed = Line().Match(Read("Dockerfile")).Groups[1].Value;
        var port = Assert.Single(Container.Ports);
        Assert.Equal(exposed, $"{port.ContainerPort}");
        Assert.Equal(port.Name, Assert.Single(One<V1Service>().Spec.Ports).TargetPort.Value);
        Assert.All(Probes, probe => Assert.Equal(port.Name, probe.HttpGet.Port.Value));
        Assert.Equal(2, Regex.Count(Read("deploy/nginx.conf"), $"server node[12]:{exposed} "));
    }

    [Fact]
    public async Task A_server_answers_where_it_is_asked_for_its_health()
    {
        await using var server = await TenancyServer.StartAsync();
        var paths = Probes.Select(probe => probe.HttpGet.Path).Append(Check().Match(Read("Dockerfile")).Groups[1].Value);
        foreach (var path in paths)
        {
            using var response = await server.Client.GetAsync(
                new Uri($"http://127.0.0.1:{server.Port}{path}"),
                TestContext.Current.CancellationToken
            );
            Assert.True(response.IsSuccessStatusCode, path);
        }

        // A server that stops, or whose store is away, is not killed for it.
        Assert.Equal("/health/live", Container.LivenessProbe.HttpGet.Path);
        Assert.Equal("/health/ready", Container.ReadinessProbe.HttpGet.Path);
    }

    [Fact]
    public void A_pod_that_stops_has_the_time_that_the_server_takes()
    {
        var sleep = TimeSpan.FromSeconds(Container.Lifecycle.PreStop.Sleep.Seconds);
        var grace = TimeSpan.FromSeconds(Pod.TerminationGracePeriodSeconds!.Value);
        var drain = TimeSpan.Parse(One<V1ConfigMap>().Data["Tenancy__DrainTime"], CultureInfo.InvariantCulture);
        Assert.True(sleep + HostTime < grace, $"{sleep} + {HostTime} >= {grace}");
        Assert.True(drain < HostTime, $"{drain} >= {HostTime}");

        // Who asks the pod itself must have noticed by then.
        var ready = Container.ReadinessProbe;
        var noticed = TimeSpan.FromSeconds((ready.PeriodSeconds ?? 10) * (ready.FailureThreshold ?? 3));
        Assert.True(noticed < drain, $"{noticed} >= {drain}");
    }

    [Fact]
    public void A_container_of_compose_has_the_time_that_the_server_takes()
    {
        foreach (var node in new[] { "node1", "node2" })
        {
            var grace = (string?)Service(node)["stop_grace_period"];
            Assert.True(TimeSpan.FromSeconds(int.Parse(grace!.TrimEnd('s'), CultureInfo.InvariantCulture)) > HostTime, grace);
        }
    }

    [Fact]
    public void Every_variable_is_one_that_the_server_reads()
    {
        var names = One<V1ConfigMap>()
            .Data.Keys.Concat(One<V1Secret>().StringData.Keys)
            .Concat(((YamlMappingNode)Service("node1")["environment"]).Children.Keys.Select(name => (string)name!))
            .Concat(Variable().Matches(Read(".env.example")).Select(match => match.Groups[1].Value))
            .Distinct()
            .ToArray();
        Assert.True(names.Length >= 6, $"{names.Length} variables");
        string[] others = ["ConnectionStrings__Redis", "TENANT_ADMIN_API_KEY", "OTEL_EXPORTER_OTLP_ENDPOINT"];
        Assert.All(names.Except(others), name =>
            Assert.True(
                name.StartsWith("Tenancy__", StringComparison.Ordinal)
                    && LinksTests.IsRead(name.Replace("__", ":", StringComparison.Ordinal)),
                name
            )
        );
    }

    [Fact]
    public void What_is_secret_stands_in_the_secret_and_is_to_be_replaced()
    {
        Assert.Equal(["ConnectionStrings__Redis", "TENANT_ADMIN_API_KEY"], One<V1Secret>().StringData.Keys.Order(StringComparer.Ordinal));
        Assert.All(One<V1Secret>().StringData.Values, value => Assert.Contains("CHANGE_ME", value, StringComparison.Ordinal));
        Assert.Equal(["seller", "seller"], Container.EnvFrom.Select(source => source.ConfigMapRef?.Name ?? source.SecretRef?.Name));
        Assert.Empty(Container.Env ?? []);
    }

    [Fact]
    public void Nobody_is_root_and_nothing_is_written_but_to_a_temporary_folder()
    {
        Assert.True(Pod.SecurityContext.RunAsNonRoot);
        Assert.True(Container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.False(Container.SecurityContext.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], Container.SecurityContext.Capabilities.Drop);
        Assert.Equal(["/tmp"], Container.VolumeMounts.Select(mount => mount.MountPath));
        Assert.False(Pod.AutomountServiceAccountToken);
        foreach (var node in new[] { "node1", "node2" })
        {
            Assert.Equal("true", (string?)Service(node)["read_only"]);
            Assert.Equal(["/tmp"], ((YamlSequenceNode)Service(node)["tmpfs"]).Select(folder => (string?)folder));
            Assert.Equal(["ALL"], ((YamlSequenceNode)Service(node)["cap_drop"]).Select(capability => (string?)capability));
        }
    }

    [Fact]
    public void The_store_of_compose_keeps_what_it_has_and_the_proxy_is_the_one_that_is_believed()
    {
        var command = ((YamlSequenceNode)Service("redis")["command"]).Select(word => (string?)word).ToArray();
        Assert.Equal(["redis-server", "--appendonly", "yes", "--maxmemory-policy", "noeviction"], command);
        var proxy = (string?)Service("proxy")["networks"]["default"]["ipv4_address"];
        Assert.Equal(proxy, (string?)Service("node1")["environment"]["Tenancy__Proxies"]);

        // No other container is given the proxy's address, which is believed.
        var given = Range().Match(Read("compose.yaml")).Groups[1].Value;
        Assert.False(IPNetwork.Parse(given).Contains(IPAddress.Parse(proxy!)));
        Assert.Matches(IpNetwork(), Read("compose.yaml"));
    }

    // The file of deploy/ is the one that runs before real nodes, in DeployedProxyTests.
    [Fact]
    public void The_proxy_of_compose_is_set_up_as_the_one_that_is_tested()
    {
        static string Body(string text) => NodeLine().Replace(text[text.IndexOf("events {", StringComparison.Ordinal)..], "");
        Assert.Equal(Body(Page.Read("deploy/nginx.conf").Text), Body(Read("deploy/nginx.conf")));
    }

    private static IEnumerable<V1Probe> Probes => [Container.StartupProbe, Container.ReadinessProbe, Container.LivenessProbe];

    private static T One<T>() => Manifests.OfType<T>().Single();

    private static string Read(string file) => Page.Read(Folder + file).Text;

    private static YamlNode Service(string name)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Read("compose.yaml")));
        var service = (YamlMappingNode)yaml.Documents[0].RootNode["services"][name];
        return service.Children.TryGetValue("<<", out var merged) ? merged : service;
    }

    [GeneratedRegex(@"^EXPOSE (\d+)$", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+(/[\w/]+)")]
    private static partial Regex Check();

    [GeneratedRegex(@"^#? ?([A-Z]\w+)=", RegexOptions.Multiline)]
    private static partial Regex Variable();

    [GeneratedRegex(@"ip_range: ([0-9./]+)")]
    private static partial Regex Range();

    [GeneratedRegex(@"subnet: 172\.31\.85\.0/24")]
    private static partial Regex IpNetwork();

    [GeneratedRegex(@"^ *server (app|node)\d:8080.*\n", RegexOptions.Multiline)]
    private static partial Regex NodeLine();
}
