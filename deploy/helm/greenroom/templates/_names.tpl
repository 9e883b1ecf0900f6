{{- define "greenroom.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Of everything; the longest suffix, of hooks, leaves it within the 63 characters of a name. */}}
{{- define "greenroom.fullname" -}}
{{- $name := include "greenroom.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{ default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* By which policies, budgets and Services select pods: (list $ "gateway"). */}}
{{- define "greenroom.selector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ include "greenroom.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* Of everything: (list $ "gateway"), or (list $ "") for what belongs to none. */}}
{{- define "greenroom.labels" -}}
{{- $root := first . -}}
{{ include "greenroom.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* name, namespace and labels: (list $ "gateway"). */}}
{{- define "greenroom.metadata" -}}
{{- $root := first . -}}
{{- $component := index . 1 -}}
name: {{ include "greenroom.fullname" $root }}{{ with $component }}-{{ . }}{{ end }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "greenroom.labels" . | nindent 2 }}
{{- end }}

{{/* The components that run, each with a Deployment or a StatefulSet. */}}
{{- define "greenroom.components" -}}
gateway session egress attendance
{{- if .Values.recorder.enabled }} recorder{{ end }}
{{- if .Values.relay.enabled }} relay{{ end }}
{{- end }}

{{- define "greenroom.image" -}}
{{- $root := first . -}}
{{- $component := index . 1 -}}
{{- $image := ternary $root.Values.recorderImage $root.Values.image (has $component (list "recorder" "relay")) -}}
{{- with $root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default $root.Chart.AppVersion $image.tag }}{{ end }}
{{- end }}

{{/* The address of a service within the cluster. */}}
{{- define "greenroom.serviceUrl" -}}
{{- $root := first . -}}
{{- $component := index . 1 -}}
http://{{ include "greenroom.fullname" $root }}-{{ $component }}:{{ ternary $root.Values.gateway.service.port 8080 (eq $component "gateway") }}
{{- end }}
