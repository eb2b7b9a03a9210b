//! `deploy/kubernetes`: Kubernetes would take every manifest, and what they say of one another is so.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{Env, root, said, strings, would_start, yaml};
use crate::tools;

/// The Kubernetes whose schemas are asked.
const VERSION: &str = "1.34";

fn manifests() -> Vec<String> {
    let folders = ["base", "trial"].map(|name| root().join("deploy/kubernetes").join(name));
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder of manifests"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut names: Vec<String> = paths
        .filter(|path| !path.ends_with("kustomization.yaml"))
        .map(|path| path.to_str().expect("a name is text").to_owned())
        .collect();
    names.sort();
    names
}

/// Every object of every manifest.
fn objects() -> Vec<Value> {
    let texts = manifests()
        .into_iter()
        .map(|path| fs::read_to_string(path).expect("a manifest is text"));
    yaml(&texts.collect::<Vec<_>>().join("\n---\n"))
}

fn find(objects: &[Value], kind: &str, name: &str) -> Value {
    let is_it = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    let found = objects.iter().find(is_it);
    found
        .unwrap_or_else(|| panic!("there is no {kind} {name}"))
        .clone()
}

fn of_kind<'a>(objects: &'a [Value], kinds: &[&str]) -> Vec<&'a Value> {
    let is_one = |object: &&Value| kinds.iter().any(|kind| object["kind"] == **kind);
    objects.iter().filter(is_one).collect()
}

/// Pods by what makes them.
fn workloads(objects: &[Value]) -> Vec<&Value> {
    of_kind(objects, &["Deployment", "StatefulSet"])
}

fn container(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]["containers"][0]
}

fn validate(paths: &[String]) -> Output {
    Command::new(tools::cached("manifests/bin/kubernetes-validate"))
        .args(["--strict", "--kubernetes-version", VERSION])
        .args(paths)
        .stdin(Stdio::null())
        .output()
        .expect("the validator runs")
}

#[test]
fn kubernetes_takes_every_manifest() {
    let manifests = manifests();
    assert!(manifests.len() >= 8, "{manifests:?}");
    let output = validate(&manifests);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_manifest_that_kubernetes_would_refuse_is_found() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let good = fs::read_to_string(root().join("deploy/kubernetes/base/order-service.yaml"));
    let good = good.expect("the manifest is there");
    for (from, to) in [
        ("containerPort: 8080", "containerPort: \"8080\""),
        ("minReplicas: 2", "minReplica: 2"),
        ("runAsNonRoot: true", "runAsNonRoot: yes please"),
    ] {
        assert!(good.contains(from), "{from}");
        let bad = folder.path().join("bad.yaml");
        fs::write(&bad, good.replacen(from, to, 1)).expect("it can be written");
        let output = validate(&[bad.display().to_string()]);
        assert!(
            !output.status.success(),
            "{to} was taken: {}",
            said(&output)
        );
    }
}

#[test]
fn every_manifest_is_part_of_its_kustomization() {
    for folder in ["base", "trial"] {
        let folder = root().join("deploy/kubernetes").join(folder);
        let text = fs::read_to_string(folder.join("kustomization.yaml"));
        let file = yaml(&text.expect("a kustomization is there")).remove(0);
        let listed: BTreeSet<String> = strings(&file["resources"]).into_iter().collect();
        let here = manifests().into_iter().filter_map(|path| {
            let path = Path::new(&path);
            let name = path.file_name()?.to_str()?.to_owned();
            (path.parent() == Some(&folder)).then_some(name)
        });
        let here: BTreeSet<String> = here.collect();
        assert!(here.is_subset(&listed), "{here:?} but {listed:?}");
        for name in &listed {
            assert!(folder.join(name).exists(), "{name} is not there");
        }
    }
}

/// The variables of a container, with what the ConfigMap and the Secret say.
fn env_of(container: &Value, objects: &[Value]) -> Env {
    let env = container["env"].as_array().into_iter().flatten();
    env.map(|variable| {
        let name = variable["name"].as_str().expect("a variable has a name");
        let from = &variable["valueFrom"];
        let value = match (&from["configMapKeyRef"], &from["secretKeyRef"]) {
            (Value::Null, Value::Null) => variable["value"].clone(),
            (Value::Null, secret) => referred(objects, "Secret", "stringData", secret),
            (config, _) => referred(objects, "ConfigMap", "data", config),
        };
        let value = value.as_str().expect("a variable is text").to_owned();
        (name.to_owned(), value)
    })
    .collect()
}

fn referred(objects: &[Value], kind: &str, within: &str, reference: &Value) -> Value {
    let name = reference["name"].as_str().expect("a reference has a name");
    let key = reference["key"].as_str().expect("a reference has a key");
    let value = find(objects, kind, name)[within][key].clone();
    assert!(value.is_string(), "{kind} {name} has no {key}");
    value
}

#[tokio::test]
async fn both_services_would_start_in_their_pods() {
    let objects = objects();
    let ours = workloads(&objects);
    let ours: Vec<&Value> = ours
        .into_iter()
        .filter(|workload| container(workload)["image"] == "hotdeal")
        .collect();
    assert_eq!(ours.len(), 2);
    for workload in ours {
        let container = container(workload);
        let env = env_of(container, &objects);
        would_start(
            &container["name"].to_string(),
            &strings(&container["args"]),
            &env,
        )
        .await;
    }
}

#[test]
fn what_names_pods_or_ports_names_some_that_there_are() {
    let objects = objects();
    let workloads = workloads(&objects);
    let pods = |labels: &Value| {
        let found = workloads.iter().find(|workload| {
            let has = &workload["spec"]["template"]["metadata"]["labels"];
            let wanted = labels.as_object().expect("labels");
            wanted.iter().all(|(name, value)| has[name] == *value)
        });
        (*found.unwrap_or_else(|| panic!("no pod has {labels}"))).clone()
    };
    let has_port = |workload: &Value, port: &Value| {
        let ports = container(workload)["ports"].as_array().expect("ports");
        assert!(ports.iter().any(|there| there["name"] == *port), "{port}");
    };
    for workload in &workloads {
        pods(&workload["spec"]["selector"]["matchLabels"]);
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            if let port @ Value::String(_) = &container(workload)[probe]["httpGet"]["port"] {
                has_port(workload, port);
            }
        }
    }
    for service in of_kind(&objects, &["Service"]) {
        let workload = pods(&service["spec"]["selector"]);
        for port in service["spec"]["ports"].as_array().expect("ports") {
            has_port(&workload, &port["targetPort"]);
        }
    }
    for budget in of_kind(&objects, &["PodDisruptionBudget"]) {
        pods(&budget["spec"]["selector"]["matchLabels"]);
    }
    for policy in of_kind(&objects, &["NetworkPolicy"]) {
        let selector = &policy["spec"]["podSelector"]["matchLabels"];
        if selector.is_null() {
            continue;
        }
        let workload = pods(selector);
        for rule in policy["spec"]["ingress"].as_array().expect("rules") {
            for port in rule["ports"].as_array().expect("ports") {
                has_port(&workload, &port["port"]);
            }
        }
    }
    for scaler in of_kind(&objects, &["HorizontalPodAutoscaler"]) {
        let target = &scaler["spec"]["scaleTargetRef"];
        let [kind, name] = ["kind", "name"].map(|key| target[key].as_str().expect("a target"));
        find(&objects, kind, name);
    }
    let ingress = find(&objects, "Ingress", "hotdeal");
    for path in ingress["spec"]["rules"][0]["http"]["paths"]
        .as_array()
        .expect("paths")
    {
        let backend = &path["backend"]["service"];
        let service = find(
            &objects,
            "Service",
            backend["name"].as_str().expect("a name"),
        );
        assert_eq!(service["spec"]["ports"][0]["name"], backend["port"]["name"]);
    }
}

#[test]
fn every_replica_of_product_service_is_called_by_its_own_name() {
    let objects = objects();
    let workload = find(&objects, "StatefulSet", "product-service");
    let service = workload["spec"]["serviceName"].as_str().expect("a name");
    let replicas = workload["spec"]["replicas"].as_u64().expect("a number");
    let names =
        (0..replicas).map(|number| format!("http://product-service-{number}.{service}:50051"));
    let called = find(&objects, "ConfigMap", "hotdeal")["data"]["PRODUCT_GRPC_URL"].clone();
    assert_eq!(called, names.collect::<Vec<_>>().join(","));
    assert_eq!(
        find(&objects, "Service", service)["spec"]["clusterIP"],
        "None"
    );
}

#[test]
fn a_pod_that_ends_has_the_time_to_drain_and_may_do_nothing_but_serve() {
    let objects = objects();
    let config = find(&objects, "ConfigMap", "hotdeal");
    let drain = config["data"]["DRAIN_TIMEOUT"].as_str().expect("a time");
    let drain: u64 = drain.trim_end_matches('s').parse().expect("seconds");
    for workload in workloads(&objects) {
        let pod = &workload["spec"]["template"]["spec"];
        let container = container(workload);
        let name = &container["name"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(
            container["securityContext"]["allowPrivilegeEscalation"],
            false
        );
        assert_eq!(
            container["securityContext"]["capabilities"]["drop"][0],
            "ALL"
        );
        assert!(
            container["resources"]["limits"]["memory"].is_string(),
            "{name}"
        );
        if container["image"] == "hotdeal" {
            let seconds = &container["lifecycle"]["preStop"]["sleep"]["seconds"];
            let before = Duration::from_secs(seconds.as_u64().expect("seconds"));
            let all = pod["terminationGracePeriodSeconds"]
                .as_u64()
                .expect("seconds");
            let least = before + Duration::from_secs(drain + 5);
            assert!(Duration::from_secs(all) >= least, "{name}");
        }
    }
}
