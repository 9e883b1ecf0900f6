{{/* What is no secret, of one component: (list $ "gateway"). A YAML object of strings. */}}
{{- define "greenroom.config" -}}
{{- $root := first . -}}
{{- $component := index . 1 -}}
{{- $values := $root.Values -}}
{{- $config := dict "GREENROOM_HOST" "0.0.0.0" "GREENROOM_PORT" "8080" "GREENROOM_METRICS_PORT" "9090" -}}
{{- if has $component (list "gateway" "egress" "attendance") -}}
{{- $_ := set $config "GREENROOM_SESSION_URL" (include "greenroom.serviceUrl" (list $root "session")) -}}
{{- end -}}
{{- if has $component (list "gateway" "session" "recorder" "relay") -}}
{{- $_ := set $config "GREENROOM_EGRESS_URL" (include "greenroom.serviceUrl" (list $root "egress")) -}}
{{- end -}}
{{- if eq $component "gateway" -}}
{{- $_ := set $config "GREENROOM_ATTENDANCE_URL" (include "greenroom.serviceUrl" (list $root "attendance")) -}}
{{- end -}}
{{- if has $component (list "gateway" "session" "egress") -}}
{{- $_ := set $config "GREENROOM_PUBLIC_URL" (include "greenroom.publicUrl" $root) -}}
{{- end -}}
{{- if has $component (list "session" "egress" "recorder") -}}
{{- $_ := set $config "GREENROOM_LIVEKIT_API_URL" $values.livekit.apiUrl -}}
{{- $_ := set $config "GREENROOM_STORAGE_URL" $values.storage.url -}}
{{- end -}}
{{- if has $component (list "recorder" "relay") -}}
{{- $_ := set $config "GREENROOM_LIVEKIT_URL" (default (include "greenroom.livekitUrl" $root) $values.livekit.url) -}}
{{- $_ := set $config "GREENROOM_SPOOL" (printf "/var/lib/greenroom/%s" $component) -}}
{{- end -}}
{{- if eq $component "session" -}}
{{- $_ := set $config "GREENROOM_LIVEKIT_PUBLIC_URL" (default (include "greenroom.livekitUrl" $root) $values.livekit.publicUrl) -}}
{{- if $values.smtp.enabled -}}
{{- $_ := set $config "GREENROOM_MAIL_FROM" (required "smtp.from is needed: who mails come from" $values.smtp.from) -}}
{{- end -}}
{{- with $values.bootstrapAdmin.email -}}
{{- $_ := set $config "GREENROOM_BOOTSTRAP_ADMIN_EMAIL" . -}}
{{- end -}}
{{- end -}}
{{- if eq $component "egress" -}}
{{- $_ := set $config "GREENROOM_ENGINE" (ternary "embedded" "livekit" $values.recorder.enabled) -}}
{{- $_ := set $config "GREENROOM_INGEST" (ternary "embedded" "livekit" $values.relay.enabled) -}}
{{- if $values.relay.enabled -}}
{{- $_ := set $config "GREENROOM_RTMP_URL" (required "relay.publicUrl is needed: where encoders reach the relay, rtmp://host/live" $values.relay.publicUrl) -}}
{{- end -}}
{{- end -}}
{{- if eq $component "relay" -}}
{{- $_ := set $config "GREENROOM_RTMP_URL" "rtmp://127.0.0.1:1935/live" -}}
{{- end -}}
{{- with $values.tracing.endpoint -}}
{{- $_ := set $config "OTEL_EXPORTER_OTLP_ENDPOINT" . -}}
{{- end -}}
{{- range $name, $value := $values.tracing.env -}}
{{- $_ := set $config $name (include "greenroom.text" $value) -}}
{{- end -}}
{{- range $settings := list $values.settings (index $values $component).settings -}}
{{- range $name, $value := $settings -}}
{{- $_ := set $config (printf "GREENROOM_%s" (upper $name)) (include "greenroom.text" $value) -}}
{{- end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end }}

{{/* Helm reads whole numbers as floating ones, and would write large ones as 1e+09. */}}
{{- define "greenroom.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq . (floor .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else if or (kindIs "map" .) (kindIs "slice" .) -}}
{{- toJson . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end }}

{{- define "greenroom.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{ trimSuffix "/" .Values.publicUrl }}
{{- else if .Values.ingress.enabled -}}
{{ ternary "https" "http" (ne "" .Values.ingress.tlsSecret) }}://{{ required "ingress.host is needed" .Values.ingress.host }}
{{- else if and .Values.httpRoute.enabled .Values.httpRoute.hostnames -}}
https://{{ first .Values.httpRoute.hostnames }}
{{- else -}}
{{ include "greenroom.serviceUrl" (list . "gateway") }}
{{- end -}}
{{- end }}

{{/* LiveKit's API has the scheme http(s), its signalling ws(s). */}}
{{- define "greenroom.livekitUrl" -}}
{{ regexReplaceAll "^http" .Values.livekit.apiUrl "ws" }}
{{- end }}

{{/* Seconds after which a stopping process has exited whatever hangs (docs/operations), rounded up, and 3 to be read. */}}
{{- define "greenroom.grace" -}}
{{- $root := first . -}}
{{- $settings := merge (dict) (index $root.Values (index . 1)).settings $root.Values.settings -}}
{{- $drain := mulf 2 (dig "drain_seconds" 10 $settings) -}}
{{- $seconds := addf (dig "readiness_delay_seconds" 0 $settings) $drain (dig "close_seconds" 20 $settings) 2 -}}
{{ add (int (ceil $seconds)) 3 }}
{{- end }}
