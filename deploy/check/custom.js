// Checks resources of KEDA and of the Prometheus operator against their schemas: node custom.js <file>…
import { readFileSync } from "node:fs";
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1";
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import { load } from "js-yaml";

const kinds = { ScaledObject, PodMonitor };
for (const file of process.argv.slice(2)) {
  const resource = load(readFileSync(file, "utf8"));
  new kinds[resource.kind](resource).validate();
  console.log(`${file}: ${resource.kind} fits its schema`);
}
