{{/* The template of a component's pods: (list $ "gateway"). */}}
{{- define "greenroom.pod" -}}
{{- $root := first . -}}
{{- $component := index . 1 -}}
{{- $own := index $root.Values $component -}}
metadata:
  labels:
    {{- include "greenroom.labels" . | nindent 4 }}
    {{- with $own.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # New settings and new credentials in the values make new pods.
    checksum/config: {{ include "greenroom.config" . | sha256sum }}
    checksum/credentials: {{ include "greenroom.credentials" $root | sha256sum }}
    {{- with $own.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "greenroom.fullname" $root }}-{{ $component }}
  {{- include "greenroom.podBasics" $root | nindent 2 }}
  terminationGracePeriodSeconds: {{ include "greenroom.grace" . }}
  {{- with $own.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $own.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if $own.topologySpreadConstraints }}
    {{- toYaml $own.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "greenroom.selector" $ | nindent 10 }}
    {{- end }}
    {{- end }}
  containers:
    - name: {{ $component }}
      image: {{ include "greenroom.image" . }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [serve, {{ $component }}]
      securityContext:
        {{- toYaml $root.Values.securityContext | nindent 8 }}
      envFrom:
        - configMapRef: {name: {{ include "greenroom.fullname" $root }}-{{ $component }}}
      env:
        {{- include "greenroom.secretEnv" (list $root $component false) | trim | nindent 8 }}
        {{- with $own.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - {name: http, containerPort: 8080}
        - {name: metrics, containerPort: 9090}
      # Alive is who answers; ready is who reaches what they need. While RabbitMQ or LiveKit is away the rest still
      # works: without `exclude` all pods would leave their Service at once.
      startupProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /readyz{{ if has $component (list "session" "egress" "attendance") }}?exclude=rabbitmq&exclude=livekit{{ end }}
          port: http
        periodSeconds: 2
        timeoutSeconds: 3
        failureThreshold: 2
      resources:
        {{- toYaml $own.resources | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: data, mountPath: /var/lib/greenroom}
        {{- if include "greenroom.mountsStorage" . }}
        - {name: storage, mountPath: {{ trimPrefix "file://" $root.Values.storage.url }}}
        {{- end }}
    {{- if eq $component "relay" }}
    - name: rtmp
      image: {{ include "greenroom.image" . }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: [serve, rtmp]
      securityContext:
        {{- toYaml $root.Values.securityContext | nindent 8 }}
      env:
        - {name: GREENROOM_HOST, value: 0.0.0.0}
        - {name: GREENROOM_PORT, value: "8081"}
      ports:
        - {name: rtmp, containerPort: 1935}
        - {name: rtmp-health, containerPort: 8081}
      livenessProbe:
        httpGet: {path: /healthz, port: rtmp-health}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        tcpSocket: {port: rtmp}
        periodSeconds: 5
      resources:
        {{- toYaml $own.rtmpResources | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
    {{- end }}
  volumes:
    - name: tmp
      emptyDir: {}
    {{- if not (and (eq $component "recorder") $own.spool.persistent) }}
    - name: data
      emptyDir: {}
    {{- end }}
    {{- if include "greenroom.mountsStorage" . }}
    - name: storage
      {{- toYaml $root.Values.storage.volume | nindent 6 }}
    {{- end }}
{{- end }}

{{/* Of every pod, hooks' and tests' too. */}}
{{- define "greenroom.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Whether a component has the storage's volume: "yes" or nothing. */}}
{{- define "greenroom.mountsStorage" -}}
{{- $values := (first .).Values -}}
{{- if and (hasPrefix "file://" $values.storage.url) (has (index . 1) (list "session" "egress" "recorder")) -}}
{{- if not $values.storage.volume -}}
{{- fail "storage.volume is needed with a file:// storage: session, egress and recorders share it" -}}
{{- end -}}
yes
{{- end -}}
{{- end }}

{{/* How many pods: (list $ "Deployment" "gateway"). If something else scales them, as many as there are: a number that
     is only left out becomes 1. Nothing if there are none yet. */}}
{{- define "greenroom.replicas" -}}
{{- $root := first . -}}
{{- $own := index $root.Values (index . 2) -}}
{{- if or (dig "autoscaling" "enabled" false $own) (kindIs "invalid" $own.replicas) -}}
{{- $name := printf "%s-%s" (include "greenroom.fullname" $root) (index . 2) -}}
{{- with lookup "apps/v1" (index . 1) $root.Release.Namespace $name }}{{ .spec.replicas }}{{ end -}}
{{- else -}}
{{ $own.replicas }}
{{- end -}}
{{- end }}
