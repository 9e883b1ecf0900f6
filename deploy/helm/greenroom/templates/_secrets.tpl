{{/* Names of the Secrets that the chart makes. Hooks run before them, with a copy of their own. */}}
{{- define "greenroom.keysSecret" -}}
{{ include "greenroom.fullname" . }}-keys
{{- end }}
{{- define "greenroom.credentialsSecret" -}}
{{ include "greenroom.fullname" . }}-credentials
{{- end }}
{{- define "greenroom.hookSecret" -}}
{{ include "greenroom.fullname" . }}-indexes
{{- end }}

{{/* The variables of one component that come from Secrets, no more than it needs: (list $ "gateway" HOOK).
     A YAML list as of a container's `env`; with HOOK what the chart makes is read from the hooks' copy. */}}
{{- define "greenroom.secretEnv" -}}
{{- $root := first . -}}
{{- $component := index . 1 -}}
{{- $hook := index . 2 -}}
{{- $values := $root.Values -}}
{{- $keys := list "GREENROOM_IDENTITY_PUBLIC_KEYS" -}}
{{- $previous := list -}}
{{- if ne $component "recorder" -}}
{{- $keys = append $keys "GREENROOM_INTERNAL_SECRET" -}}
{{- $previous = append $previous "GREENROOM_INTERNAL_PREVIOUS_SECRETS" -}}
{{- end -}}
{{- if eq $component "session" -}}
{{- $keys = concat $keys (list "GREENROOM_IDENTITY_SIGNING_KID" "GREENROOM_IDENTITY_PRIVATE_KEY" "GREENROOM_REFRESH_SECRET" "GREENROOM_KEYRING") -}}
{{- $previous = append $previous "GREENROOM_REFRESH_PREVIOUS_SECRETS" -}}
{{- end -}}
{{- $keysSecret := default (include (ternary "greenroom.hookSecret" "greenroom.keysSecret" $hook) $root) $values.keys.existingSecret -}}
{{- range $keys }}
{{ include "greenroom.fromSecret" (list . $keysSecret .) }}
{{- end }}
{{- range $previous }}
{{ include "greenroom.ifInSecret" (list . $keysSecret .) }}
{{- end }}
{{- $own := include (ternary "greenroom.hookSecret" "greenroom.credentialsSecret" $hook) $root -}}
{{- $database := ternary "egress" $component (eq $component "recorder") -}}
{{- with index $values.mongodb $database }}
{{ include "greenroom.credential" (list "GREENROOM_MONGODB_URI" $own (printf "%s-mongodb-uri" $database) .uri .existingSecret .key) }}
{{- end }}
{{- if has $component (list "session" "egress" "attendance") }}
{{- with $values.rabbitmq }}
{{ include "greenroom.credential" (list "GREENROOM_AMQP_URL" $own "rabbitmq-url" .url .existingSecret .key) }}
{{- end }}
{{- end }}
{{- if and (eq $component "gateway") $values.redis.enabled }}
{{- with $values.redis }}
{{ include "greenroom.credential" (list "GREENROOM_REDIS_URL" $own "redis-url" .url .existingSecret .key) }}
{{- end }}
{{- end }}
{{- if has $component (list "session" "egress" "recorder" "relay") }}
{{- with $values.livekit }}
{{ include "greenroom.credential" (list "GREENROOM_LIVEKIT_API_KEY" $own "livekit-api-key" .apiKey .existingSecret .apiKeyKey) }}
{{ include "greenroom.credential" (list "GREENROOM_LIVEKIT_API_SECRET" $own "livekit-api-secret" .apiKey .existingSecret .apiSecretKey) }}
{{- if and (eq $component "egress") (not .apiKey) }}
{{ include "greenroom.ifInSecret" (list "GREENROOM_LIVEKIT_PREVIOUS_KEYS" .existingSecret .previousKeysKey) }}
{{- end }}
{{- end }}
{{- end }}
{{- if has $component (list "session" "egress" "recorder") }}
{{ include "greenroom.storageEnv" (list $root $own) }}
{{- end }}
{{- if eq $component "session" }}
{{- if $values.smtp.enabled }}
{{- with $values.smtp }}
{{ include "greenroom.credential" (list "GREENROOM_SMTP_URL" $own "smtp-url" .url .existingSecret .key) }}
{{- end }}
{{- end }}
{{- if $values.centrifugo.enabled }}
{{- with $values.centrifugo }}
{{ include "greenroom.credential" (list "GREENROOM_CENTRIFUGO_SECRET" $own "centrifugo-secret" .secret .existingSecret .key) }}
{{- if not .secret }}
{{ include "greenroom.ifInSecret" (list "GREENROOM_CENTRIFUGO_PREVIOUS_SECRETS" .existingSecret .previousKey) }}
{{- end }}
{{- end }}
{{- end }}
{{- if $values.bootstrapAdmin.email }}
{{- with $values.bootstrapAdmin }}
{{ include "greenroom.credential" (list "GREENROOM_BOOTSTRAP_ADMIN_PASSWORD" $own "bootstrap-admin-password" .password .existingSecret .key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "greenroom.fromSecret" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: {name: {{ index . 1 | quote }}, key: {{ index . 2 | quote }}}
{{- end }}

{{/* The variable is absent if the key is: what holds while secrets are replaced. */}}
{{- define "greenroom.ifInSecret" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: {name: {{ index . 1 | quote }}, key: {{ index . 2 | quote }}, optional: true}
{{- end }}

{{/* (list VARIABLE OWN-SECRET KEY-IN-IT INLINE-VALUE EXISTING-SECRET KEY-IN-THAT). */}}
{{- define "greenroom.credential" -}}
{{- if index . 3 -}}
{{ include "greenroom.fromSecret" (list (index . 0) (index . 1) (index . 2)) }}
{{- else -}}
{{ include "greenroom.fromSecret" (list (index . 0) (required (printf "%s needs a value or an existingSecret" (index . 0)) (index . 4)) (index . 5)) }}
{{- end -}}
{{- end }}

{{/* Kubernetes puts the two credentials into the JSON object, which is no secret itself. */}}
{{- define "greenroom.storageEnv" -}}
{{- $root := first . -}}
{{- with $root.Values.storage -}}
{{- if hasPrefix "s3://" .url -}}
{{- $options := dict -}}
{{- with .region }}{{ $_ := set $options "region" . }}{{ end -}}
{{- with .endpoint }}{{ $_ := set $options "endpoint" . }}{{ end -}}
{{- if or .accessKeyId .existingSecret -}}
{{ include "greenroom.credential" (list "S3_ACCESS_KEY_ID" (index $ 1) "s3-access-key-id" .accessKeyId .existingSecret .accessKeyIdKey) }}
{{ include "greenroom.credential" (list "S3_SECRET_ACCESS_KEY" (index $ 1) "s3-secret-access-key" .accessKeyId .existingSecret .secretAccessKeyKey) }}
{{- $_ := set $options "access_key_id" "$(S3_ACCESS_KEY_ID)" -}}
{{- $_ := set $options "secret_access_key" "$(S3_SECRET_ACCESS_KEY)" }}
{{ end -}}
- name: GREENROOM_STORAGE_OPTIONS
  value: {{ toJson $options | quote }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What stands in the values instead of a Secret, base64. A YAML object. */}}
{{- define "greenroom.credentials" -}}
{{- $values := .Values -}}
{{- $given := dict "rabbitmq-url" $values.rabbitmq.url -}}
{{- range $database := list "session" "egress" "attendance" -}}
{{- $_ := set $given (printf "%s-mongodb-uri" $database) (index $values.mongodb $database).uri -}}
{{- end -}}
{{- if $values.redis.enabled }}{{ $_ := set $given "redis-url" $values.redis.url }}{{ end -}}
{{- with $values.livekit -}}
{{- $_ := set $given "livekit-api-key" .apiKey -}}
{{- if .apiKey }}{{ $_ := set $given "livekit-api-secret" (required "livekit.apiSecret is needed with livekit.apiKey" .apiSecret) }}{{ end -}}
{{- end -}}
{{- with $values.storage -}}
{{- $_ := set $given "s3-access-key-id" .accessKeyId -}}
{{- if .accessKeyId }}{{ $_ := set $given "s3-secret-access-key" (required "storage.secretAccessKey is needed with storage.accessKeyId" .secretAccessKey) }}{{ end -}}
{{- end -}}
{{- if $values.smtp.enabled }}{{ $_ := set $given "smtp-url" $values.smtp.url }}{{ end -}}
{{- if $values.centrifugo.enabled }}{{ $_ := set $given "centrifugo-secret" $values.centrifugo.secret }}{{ end -}}
{{- if $values.bootstrapAdmin.email }}{{ $_ := set $given "bootstrap-admin-password" $values.bootstrapAdmin.password }}{{ end -}}
{{- $encoded := dict -}}
{{- range $key, $value := $given -}}
{{- if $value }}{{ $_ := set $encoded $key (b64enc $value) }}{{ end -}}
{{- end -}}
{{- toYaml $encoded -}}
{{- end }}

{{/* Greenroom's own keys, base64: those of the Secret that is there, else new ones, the same in all of one rendering. */}}
{{- define "greenroom.keys" -}}
{{- if not (hasKey .Values "_keys") -}}
{{- $found := lookup "v1" "Secret" .Release.Namespace (include "greenroom.keysSecret" .) -}}
{{- if $found -}}
{{- $_ := set .Values "_keys" (toYaml $found.data) -}}
{{- else if and .Release.IsUpgrade (lookup "v1" "Service" .Release.Namespace (printf "%s-gateway" (include "greenroom.fullname" .))) -}}
{{- fail (printf "The Secret %s is gone. New keys would make all API keys useless and end all sign-ins: restore it from a backup, or give keys.existingSecret." (include "greenroom.keysSecret" .)) -}}
{{- else -}}
{{- $_ := set .Values "_keys" (include "greenroom.newKeys" .) -}}
{{- end -}}
{{- end -}}
{{- get .Values "_keys" -}}
{{- end }}

{{/* Ed25519 keys are the last 32 bytes of their PKCS #8 form; the public one stands in a certificate behind its header. */}}
{{- define "greenroom.newKeys" -}}
{{- $kid := now | date "20060102" -}}
{{- $pem := genPrivateKey "ed25519" -}}
{{- $private := regexReplaceAll "-----[A-Z ]+-----|\\s" $pem "" | b64dec | substr 16 48 -}}
{{- $certificate := (genSelfSignedCertWithKey "greenroom" (list) (list) 1 $pem).Cert -}}
{{- $der := regexReplaceAll "-----[A-Z ]+-----|\\s" $certificate "" | b64dec -}}
{{- $public := index (splitList "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00" $der) 1 | trunc 32 -}}
GREENROOM_INTERNAL_SECRET: {{ randAlphaNum 48 | b64enc }}
GREENROOM_REFRESH_SECRET: {{ randAlphaNum 48 | b64enc }}
GREENROOM_IDENTITY_SIGNING_KID: {{ $kid | b64enc }}
GREENROOM_IDENTITY_PRIVATE_KEY: {{ include "greenroom.base64url" $private | b64enc }}
GREENROOM_IDENTITY_PUBLIC_KEYS: {{ dict $kid (include "greenroom.base64url" $public) | toJson | b64enc }}
GREENROOM_KEYRING: {{ dict $kid (randBytes 32 | replace "+" "-" | replace "/" "_" | trimAll "=") | toJson | b64enc }}
{{- end }}

{{- define "greenroom.base64url" -}}
{{ b64enc . | replace "+" "-" | replace "/" "_" | trimAll "=" }}
{{- end }}
